import type { Context } from '../../app/context.ts'
import type { Secret } from '../../common/secret.ts'
import { databasePassword } from '../../sql/fresh-password.ts'
import type { TargetFlags } from './named-target.ts'
import { isSameServer } from './same-server.ts'

interface ConfiguredTarget {
  readonly targetUrl: Secret | undefined
  readonly targetPassword: Secret | undefined
}

/**
 * The password for the target: that of the configuration belongs to the server of `records.target_url` alone. Without that URL the flags name the
 * server that it is for.
 */
export const targetPassword = (
  { targetUrl: configured, targetPassword: password }: ConfiguredTarget,
  targetUrl: string,
  { server }: TargetFlags,
  context: Context,
): Secret | undefined => {
  const url = configured?.reveal()
  const named = databasePassword({ url: url === targetUrl ? configured : undefined, password })
  if (server === undefined || url === undefined || url === 'off' || isSameServer(targetUrl, url)) return named
  if (databasePassword({ url: configured, password }) !== undefined)
    context.err(
      `--server ${server}: the configured password is for the server of records.target_url alone and is not sent. For another server, write it into that URL, or leave that URL out and set records.target\n`,
    )
  return undefined
}
