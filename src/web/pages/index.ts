import { recordsPage } from './records.tsx'
import { rowsPage } from './rows.tsx'
import { alertsPage } from './alerts.tsx'
import { graphPage } from './graph.tsx'
import { instancesPage } from './instances.tsx'
import type { Ask, View } from '../view.ts'
import { loginPage } from './access.tsx'
import { executionPage } from './execution.tsx'
import { failuresPage } from './failures.tsx'
import { historyPage } from './history.tsx'
import { overview } from './overview.tsx'
import { partsPage } from './parts.tsx'
import { performancePage } from './performance.tsx'
import { runPage } from './run.tsx'
import { runsPage } from './runs.tsx'

export interface PageRoute {
  readonly pattern: RegExp
  /** Groups of the pattern follow the question. */
  page(ask: Ask, ...parts: string[]): Promise<View>
}

/** Every page by its address. */
export const PAGES: readonly PageRoute[] = [
  { pattern: /^\/$/, page: (ask) => overview(ask) },
  { pattern: /^\/runs$/, page: (ask) => runsPage(ask) },
  { pattern: /^\/runs\/([1-9]\d{0,14})$/, page: (ask, run = '1') => runPage(Number(run), ask) },
  { pattern: /^\/executions\/([\w-]{1,36})$/, page: (ask, id = '') => executionPage(id, ask) },
  { pattern: /^\/history$/, page: (ask) => historyPage(ask) },
  { pattern: /^\/failures$/, page: (ask) => failuresPage(ask) },
  { pattern: /^\/performance$/, page: (ask) => performancePage(ask) },
  { pattern: /^\/graph$/, page: (ask) => graphPage(ask) },
  { pattern: /^\/rows$/, page: (ask) => rowsPage(ask) },
  { pattern: /^\/records$/, page: (ask) => recordsPage(ask) },
  { pattern: /^\/instances$/, page: (ask) => instancesPage(ask) },
  { pattern: /^\/alerts$/, page: (ask) => alertsPage(ask) },
  { pattern: /^\/_parts$/, page: () => Promise.resolve(partsPage()) },
  {
    pattern: /^\/login$/,
    page: (ask) => Promise.resolve(loginPage(ask.query, ask.hasToken, ask.sources.runs?.config)),
  },
]
