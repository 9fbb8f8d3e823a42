import { Empty, Panel } from './components/parts.tsx'
import { TroubleNotice } from './components/trouble.tsx'
import { messageOf } from '../errors.ts'
import type { PageSources } from './sources.ts'
import type { Results } from './actions.ts'
import { donePage } from './pages/access.tsx'
import { PAGES } from './pages/index.ts'
import { Problem } from './api/question.ts'
import { problemOf } from './api/routes.ts'
import type { SteadyLedger, Trouble } from './steady.ts'
import type { Ask, View } from './view.ts'

export interface SiteOptions {
  readonly sources: PageSources
  readonly steady: SteadyLedger | undefined
  readonly hasToken: boolean
  /** Whether this server does anything for who is signed in; else its pages show the command alone. */
  readonly canAct: boolean
  readonly results: Results
}

/** The page at an address, `/runs/127431?zoom=1000`, as it is now. It is never thrown: what cannot be shown is a page that says why. */
export const viewAt = async (address: string, signedIn: boolean, options: SiteOptions): Promise<View> => {
  const { sources, steady, canAct } = options
  const mayAct = signedIn && canAct
  const hasToken = options.hasToken && canAct
  const [path = '/', search = ''] = address.split('?', 2)
  const ask: Ask = { sources, query: new URLSearchParams(search), now: sources.now(), mayAct, hasToken }
  try {
    const done = options.results.get(/^\/done\/([\w-]{36})$/.exec(path)?.[1] ?? '')
    const view = done ? donePage(done) : await findPage(path, ask)
    const trouble = steady?.trouble
    return trouble ? { ...view, blocks: [troubleBlock(trouble, ask.now), ...view.blocks] } : view
  } catch (error) {
    return failedView(problemOf(error, sources.redact), steady?.trouble, ask.now)
  }
}

const findPage = async (path: string, ask: Ask): Promise<View> => {
  for (const route of PAGES) {
    const match = route.pattern.exec(path)
    if (match) return route.page(ask, ...match.slice(1).map((part) => decode(part)))
  }
  throw new Problem(404, 'NOT_FOUND', 'There is no such page.')
}

const decode = (part: string): string => {
  try {
    return decodeURIComponent(part)
  } catch (error) {
    throw new Problem(400, 'USAGE', messageOf(error))
  }
}

const troubleBlock = (trouble: Trouble, now: number) => ({
  id: 'b-trouble',
  body: <TroubleNotice trouble={trouble} now={now} />,
})

const failedView = (problem: Problem, trouble: Trouble | undefined, now: number): View => ({
  key: '',
  title: problem.status === 404 ? 'Not found' : 'Not available',
  say: problem.message,
  blocks: [
    ...(trouble && problem.status === 503 ? [troubleBlock(trouble, now)] : []),
    {
      id: 'b-nothing',
      body: (
        <Panel id="nothing">
          <Empty what={problem.message} sub={`${problem.code} in docs/ERRORS.md`}>
            <a class="btn" href="/">
              Overview
            </a>
          </Empty>
        </Panel>
      ),
    },
  ],
  live: problem.status === 503,
  status: problem.status === 404 || problem.status === 400 ? 404 : 503,
})
