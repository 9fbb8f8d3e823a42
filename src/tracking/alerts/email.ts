import type { Transporter } from 'nodemailer'
import type { Secret } from '../../common/secret.ts'
import type { Channel, Message } from './alerts.ts'

/** `reporting.email`, with the original's keys. */
export interface EmailOptions {
  readonly host: string
  readonly port: number
  /** STARTTLS is required, and the server's certificate verified. Without it no TLS is tried, as in the original. */
  readonly useTls: boolean
  readonly user: string | undefined
  readonly password: Secret | undefined
  readonly from: string
  readonly to: readonly string[]
  /** Milliseconds for each of connecting, greeting and answering. */
  readonly timeout: number
  /** Certificates in PEM that are trusted beside the usual ones. */
  readonly ca?: string
}

/** E-mail over SMTP. Rejects with what the server said; a server that says nothing costs `timeout`. */
export const emailChannel = (options: EmailOptions): Channel => ({
  name: 'e-mail',
  send: (message) =>
    withTransport(options, async (transport) => {
      const { from, to } = options
      await transport.sendMail({ from, to: [...to], subject: subjectOf(message), text: textOf(message) })
    }),
})

/** Connects, and logs in where there is a user. Rejects with what the server said. Sends nothing. */
export const probeMail = (options: Omit<EmailOptions, 'from' | 'to'>): Promise<string> =>
  withTransport(options, async (transport) => {
    await transport.verify()
    return options.user === undefined ? 'answers' : 'accepts the login'
  })

const withTransport = async <Result>(
  { host, port, useTls, user, password, timeout, ca }: Omit<EmailOptions, 'from' | 'to'>,
  work: (transport: Transporter) => Promise<Result>,
): Promise<Result> => {
  const { createTransport } = await import('nodemailer')
  const transport = createTransport({
    host,
    port,
    secure: port === 465,
    requireTLS: useTls,
    ignoreTLS: !useTls,
    ...(user === undefined ? {} : { auth: { user, pass: password?.current() ?? '' } }),
    ...(ca === undefined ? {} : { tls: { ca } }),
    connectionTimeout: timeout,
    greetingTimeout: timeout,
    socketTimeout: timeout,
  })
  try {
    return await work(transport)
  } finally {
    transport.close()
  }
}

const subjectOf = ({ severity, title, host }: Message): string =>
  `[run-record-archiver] ${severity === 'critical' ? 'CRITICAL: ' : ''}${title} (${host})`

/** The message as plain text, for mail and for chat. */
export const textOf = ({ title, lines, host, config, time, held }: Message): string =>
  [
    title,
    '',
    ...lines,
    '',
    ...(held === 0 ? [] : [`${held} more of the same were held back.`]),
    `run-record-archiver on ${host}, ${time}`,
    ...(config === undefined ? [] : [`Configuration: ${config}`]),
  ].join('\n')
