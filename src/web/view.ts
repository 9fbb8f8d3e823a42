import type { Child } from 'hono/jsx'
import type { Logged } from './log-file.ts'
import type { PageSources } from './sources.ts'

/** A part of a page that is sent again by itself when it changes. `id` is the id of its element. */
export interface Block {
  readonly id: string
  readonly body: Child
}

/** A page before the frame is put round it. */
export interface View {
  /** The entry of the side list that it belongs to. */
  readonly key: string
  readonly title: string
  /** The sentence that opens the page. */
  readonly say: Child
  readonly crumbs?: Child
  readonly aside?: Child
  readonly blocks: readonly Block[]
  /** Dialogs; never sent again, so that nobody's input is lost. */
  readonly dialogs?: Child
  /** Whether it follows the ledger. */
  readonly live: boolean
  /** The log whose new lines are sent as they come. */
  readonly log?: Logged | undefined
  readonly status?: 200 | 404 | 503
}

/** What a page is asked with. */
export interface Ask {
  readonly sources: PageSources
  readonly query: URLSearchParams
  readonly now: number
  /** Whether the reader may act: signed in with the token. */
  readonly mayAct: boolean
  /** Whether there is a token at all. */
  readonly hasToken: boolean
}

/** What the frame shows on every page. */
export interface FrameFacts {
  readonly assets: {
    readonly page: string
    readonly theme: string
    readonly style: string
    readonly sans: string
  }
  readonly site: string
  readonly version: string
  readonly place: string
  readonly failures: number | undefined
  readonly firing: number | undefined
  readonly mayAct: boolean
  readonly hasToken: boolean
  readonly keys: boolean
  /** The page's own address, for the stream of changes. */
  readonly path: string
  readonly revision: string
}
