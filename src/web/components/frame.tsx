import type { Child } from 'hono/jsx'
import { count } from '../text.ts'
import type { FrameFacts, View } from '../view.ts'
import { Icon, Sprite } from './glyph.tsx'

/** The side list: key, word, heading of the group that begins with it, path. */
export const PAGES = [
  ['overview', 'Overview', '', '/'],
  ['runs', 'Runs', 'Run records', '/runs'],
  ['history', 'History', 'Executions', '/history'],
  ['performance', 'Performance', '', '/performance'],
  ['failures', 'Failures', '', '/failures'],
  ['graph', 'Dependencies', '', '/graph'],
  ['rows', 'Rows', 'Databases', '/rows'],
  ['records', 'Records', '', '/records'],
  ['instances', 'Instances', '', '/instances'],
  ['alerts', 'Alerts', 'People', '/alerts'],
] as const

const Brand = () => (
  <a class="brand" href="/" aria-label="run-archiver, overview">
    <svg viewBox="0 0 32 32" aria-hidden="true">
      <rect x="1" y="1" width="30" height="30" rx="7" class="b0" />
      <path
        d="M7 9h3v3H7zM12 9h3v3h-3zM17 9h3v3h-3zM22 9h3v3h-3zM7 14.5h3v3H7zM12 14.5h3v3h-3zM17 14.5h3v3h-3zM7 20h3v3H7zM12 20h3v3h-3z"
        class="b1"
      />
      <path d="M23.5 13.6l2.4 2.4-2.4 2.4-2.4-2.4z" class="b2" />
    </svg>
    <span>run-archiver</span>
  </a>
)

const PageList = ({ current, facts }: { current: string; facts: FrameFacts }) => (
  <ul>
    {PAGES.map(([key, word, group, path]) => {
      const badge = key === 'failures' ? facts.failures : key === 'alerts' ? facts.firing : undefined
      return (
        <>
          {group && <li class="grp">{group}</li>}
          <li>
            <a href={path} aria-current={current === key ? 'page' : undefined}>
              <Icon name={`n-${key}`} />
              <span>{word}</span>
              {badge !== undefined && badge > 0 && (
                <b class="badge">
                  {count(badge)}
                  <span class="vh"> open</span>
                </b>
              )}
            </a>
          </li>
        </>
      )
    })}
  </ul>
)

const Access = ({ mayAct, hasToken }: FrameFacts) =>
  mayAct ? (
    <form method="post" action="/logout">
      <button class="tool">Sign out</button>
    </form>
  ) : hasToken ? (
    <a class="ro" href="/login">
      <Icon name="i-lock" />
      <span class="w">Sign in to act</span>
    </a>
  ) : (
    <span class="ro" title="Read only: serve was started without --token-file">
      <Icon name="i-lock" />
      <span class="w">Read only</span>
    </span>
  )

const Top = ({ facts, live }: { facts: FrameFacts; live: boolean }) => (
  <header class="top">
    <Brand />
    <form class="jump" role="search" action="/search">
      <label class="vh" for="q">
        Go to a run, an execution, a task
      </label>
      <input id="q" name="q" placeholder="Run, #execution or task" autocomplete="off" spellcheck={false} />
      <kbd aria-hidden="true">/</kbd>
    </form>
    <div class="tools">
      {live && (
        <button
          type="button"
          class="live js-only"
          id="live"
          aria-pressed="true"
          title="Pause live updates (p)"
        >
          <i aria-hidden="true" />
          <span class="w">Live</span>
        </button>
      )}
      <button type="button" class="tool js-only" id="tz" title="Time zone (z)">
        UTC
      </button>
      <button
        type="button"
        class="tool js-only"
        id="theme"
        title="Light, dark, or as the system (t)"
        aria-label="Auto, colour theme"
      >
        Auto
      </button>
      <Access {...facts} />
    </div>
  </header>
)

const KEYS: readonly (readonly [Child, string])[] = [
  [<kbd>/</kbd>, 'jump to a run, execution or task'],
  [
    <>
      <kbd>g</kbd> <kbd>o r h p f d w c i a</kbd>
    </>,
    'overview, runs, history, performance, failures, dependencies, rows, records, instances, alerts',
  ],
  [
    <>
      <kbd>n</kbd> <kbd>b</kbd>
    </>,
    'next, previous failed run on the map',
  ],
  [
    <>
      arrows, <kbd>Enter</kbd>
    </>,
    'move over the map, open or zoom in',
  ],
  [<kbd>p</kbd>, 'pause live updates'],
  [
    <>
      <kbd>t</kbd> <kbd>z</kbd>
    </>,
    'theme, time zone',
  ],
]

const Help = () => (
  <dialog id="help" aria-labelledby="help-h">
    <h2 id="help-h">Keys</h2>
    <dl class="keys">
      {KEYS.map(([key, what]) => (
        <div>
          <dt>{key}</dt>
          <dd>{what}</dd>
        </div>
      ))}
    </dl>
    <label>
      <input type="checkbox" id="single-keys" /> Single keys work on this device
    </label>
    <form method="dialog">
      <button class="btn">Close</button>
    </form>
  </dialog>
)

/** The head of a page: where one is, and the sentence. Sent again like a block. */
export const Lead = ({ view }: { view: View }) => (
  <header class="lead" id="lead">
    {view.crumbs && <p class="crumbs">{view.crumbs}</p>}
    <div class="lr">
      <div>
        <h1>{view.title}</h1>
        <p class="say">{view.say}</p>
      </div>
      {view.aside && <div class="act">{view.aside}</div>}
    </div>
  </header>
)

/** The whole document. */
export const Frame = ({ view, facts }: { view: View; facts: FrameFacts }) => (
  <html lang="en">
    <head>
      <meta charset="utf-8" />
      <meta name="viewport" content="width=device-width, initial-scale=1" />
      <title>{`${view.title} · run-archiver`}</title>
      <link rel="icon" href="/assets/icon.png" type="image/png" />
      <link rel="preload" href={`/assets/${facts.assets.sans}`} as="font" type="font/woff2" crossorigin="" />
      <link rel="stylesheet" href={`/assets/${facts.assets.style}`} />
      <script src={`/assets/${facts.assets.theme}`}></script>
      <script src={`/assets/${facts.assets.page}`} defer></script>
    </head>
    <body
      data-page={view.key}
      data-path={facts.path}
      data-revision={facts.revision}
      data-keys={facts.keys ? 'on' : 'off'}
    >
      <a class="skip" href="#main">
        Skip to content
      </a>
      <Sprite />
      <Top facts={facts} live={view.live} />
      <details class="mnav">
        <summary>Menu: {view.title}</summary>
        <PageList current={view.key} facts={facts} />
      </details>
      <nav class="side" aria-label="Pages">
        <PageList current={view.key} facts={facts} />
        <div class="foot">
          <p>
            <b>{facts.site}</b>
            <br />
            {facts.version} on {facts.place}
          </p>
          <p>
            <button type="button" class="lnk js-only" id="keys">
              Keys
            </button>
          </p>
        </div>
      </nav>
      <main id="main" tabindex={-1}>
        <Lead view={view} />
        <div id="connection" hidden></div>
        {view.blocks.map(({ id, body }) => (
          <div class="block" id={id}>
            {body}
          </div>
        ))}
        {view.dialogs}
      </main>
      <div id="say" class="vh" role="status" aria-live="polite"></div>
      <Help />
    </body>
  </html>
)
