/** `exitCode` and `work_dir` as words. */
const words = (name: string): string =>
  name
    .replaceAll('_', ' ')
    .replace(/([a-z])([A-Z])/g, '$1 $2')
    .toLowerCase()

const valueText = (value: unknown): string =>
  Array.isArray(value)
    ? value.map(valueText).join(', ')
    : typeof value === 'object' && value !== null
      ? Object.entries(value)
          .map(([name, of]) => `${words(name)} ${valueText(of)}`)
          .join(', ')
      : String(value)

/** The detail of an event in words: `{"exitCode":1}` is "exit code 1". What is no object stays as it was written. */
export const eventText = (detail: string): string => {
  if (!detail.startsWith('{') || detail === '{}') return detail
  try {
    return Object.entries(JSON.parse(detail) as object)
      .map(([name, value]) => `${words(name)}: ${valueText(value)}`)
      .join('; ')
  } catch {
    return detail
  }
}
