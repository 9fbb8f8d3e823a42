import type { PageSources } from './sources.ts'

/** Where the jump box leads: a run's number, `#` and an execution's number, a run id, a task's name or a part of it. */
export const jumpTo = async (text: string, { ledger, runs }: PageSources): Promise<string> => {
  const word = text.trim().slice(0, 200)
  if (word === '') return '/'
  const digits = word.replace(/[\s\u00a0,']/g, '')
  if (/^#\d{1,15}$/.test(digits)) return `/executions/${digits.slice(1)}`
  if (/^0*[1-9]\d{0,14}$/.test(digits))
    return runs ? `/runs/${Number(digits)}` : `/executions/${Number(digits)}`
  if (/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i.test(word)) return `/executions/${word.toLowerCase()}`
  const tasks = (await ledger?.tasks().catch(() => [])) ?? []
  const exact = tasks.find(({ task }) => task.toLowerCase() === word.toLowerCase())
  if (exact) return `/history?task=${encodeURIComponent(exact.task)}`
  return `/history?q=${encodeURIComponent(word)}`
}
