import { Cmd, Panel } from '../components/parts.tsx'
import type { ActionResult } from '../actions.ts'
import type { View } from '../view.ts'

/** `/login`: the token is typed once and kept as a cookie of this browser. */
export const loginPage = (query: URLSearchParams, hasToken: boolean): View => ({
  key: '',
  title: 'Sign in',
  say: hasToken
    ? query.has('late')
      ? 'Five wrong tries in a minute. Wait a minute.'
      : query.has('wrong')
        ? 'That is not the token.'
        : 'The token lets you retry, stop and silence. Reading needs none.'
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
    : [],
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
