import type { RunAttempt } from '../model.ts'
import type { RunCopy } from '../models/copies.ts'
import { plural, size, span } from '../text.ts'
import { Glyph } from './glyph.tsx'
import { Time } from './parts.tsx'

/** One of the three places, and what it holds of a run. */
export const CopyBox = ({ title, copy, failed }: { title: string; copy: RunCopy; failed?: boolean }) => {
  const standing = copy.is === 'present' ? (failed ? 'failed' : 'ok') : copy.is === 'absent' ? 'none' : 'late'
  return (
    <li class={`p-${standing}`}>
      <h3>
        <Glyph s={standing} />
        {title}
      </h3>
      {copy.is === 'present' ? (
        <>
          <p class="num">
            {copy.files.length > 0 ? `${plural(copy.files.length, 'file')}, ` : ''}
            {size(copy.bytes)}
          </p>
          {copy.digest && (
            <p class={failed ? 'hash bad' : 'hash'} title={`SHA-256 ${copy.digest}`}>
              {copy.digest.slice(0, 4)} {copy.digest.slice(4, 8)} {copy.digest.slice(8, 12)} …
            </p>
          )}
          <p class="sub">{copy.where}</p>
          {copy.note && <p class="sub">{copy.note}</p>}
        </>
      ) : (
        <p class="sub">
          {copy.is === 'absent' ? 'does not hold it' : 'could not be read'}
          {copy.why ? `: ${copy.why}` : ''}
        </p>
      )}
    </li>
  )
}

/** RECORD_INVALID in two lines where it must, never within a word. */
const brokenAtUnderscores = (code: string) =>
  code.split('_').map((word, at) => (
    <>
      {at > 0 && (
        <>
          _<wbr />
        </>
      )}
      {word}
    </>
  ))

/** The newest attempt of a stage. */
export const Arrow = ({
  stage,
  story,
  now,
}: {
  stage: string
  story: readonly RunAttempt[]
  now: number
}) => {
  const newest = story.find((attempt) => attempt.stage === stage)
  const standing = newest?.standing === 'failed' ? 'failed' : newest ? 'ok' : 'none'
  return (
    <li class={`arrow p-${standing}`}>
      <span>{stage}</span>
      <b>
        {newest === undefined
          ? 'not attempted'
          : standing === 'failed'
            ? brokenAtUnderscores(newest.code ?? 'failed')
            : newest.tookMs === undefined
              ? newest.standing
              : span(newest.tookMs / 1000)}
      </b>
      {newest && (
        <small>
          <Time at={newest.endedAt ?? newest.startedAt} now={now} />
          {(newest.attempts ?? 1) > 1 ? `, try ${newest.attempts ?? 1}` : ''}
        </small>
      )}
    </li>
  )
}
