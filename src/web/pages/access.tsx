import { Cmd, Panel } from '../components/parts.tsx'
import type { ActionResult } from '../actions.ts'
import type { View } from '../view.ts'

/** `/login`: the token is typed once and kept as a cookie of this browser. */
export const loginPage = (query: URLSearchParams, hasToken: boolean, config: string | undefined): View => ({
  key: '',
  title: 'Sign in',
  say: hasToken
    ? query.has('late')
      ? 'Five wrong tries in a minute. Wait a minute.'
      : query.has('wrong')
        ? 'That is not the token.'
        : 'The token lets you retry, stop and silence. Reading needs none.'
    : config === undefined
      ? 'This page is read only: it shows a ledger, and acts for nobody.'
      : 'This page is read only: serve was started without --token-file.',
  blocks: hasToken
    ? [
        {
          id: 'b-login',
          body: (
            <Panel id="login" title="Token">
              <form method="post" action="/login" class="filters">
                <label class="fld grow">
                  <span>The content of the file that serve --token-file names</span>
                  <input type="password" name="token" autocomplete="current-password" required />
                </label>
                <button class="btn pri">Sign in</button>
              </form>
            </Panel>
          ),
        },
      ]
    : config === undefined
      ? []
      : [
          {
            id: 'b-how',
            body: (
              <Panel id="how" title="To act on this page">
                <p>
                  Write a secret of at least 16 characters to a file that only the service can read, and start
                  the page with it:
                </p>
                <Cmd c={`run-archiver serve --config ${config} --token-file /etc/run-archiver/token`} />
                <p class="sub">
                  Until then each page shows the command that does the same. docs/PAGE.md says more.
                </p>
              </Panel>
            ),
          },
        ],
  live: false,
})

/** `/done/ID`: what an action did, and the command that does the same. */
export const donePage = ({ said, command }: ActionResult): View => ({
  key: '',
  title: 'Done',
  say: said,
  blocks: [
    {
      id: 'b-done',
      body: (
        <Panel id="done" title="The same on the command line">
          <Cmd c={command} />
        </Panel>
      ),
    },
  ],
  live: false,
})
