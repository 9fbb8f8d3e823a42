import { Secret } from '../../../../src/common/secret.ts'
import { UconArchive, type UconArchiveOptions } from '../../../../src/stores/ucondb/web/archive.ts'

/** An archive at a server, as its test server knows it, impatient enough for tests. */
export const openTo = (
  { url }: { readonly url: string },
  more: Partial<UconArchiveOptions> = {},
): UconArchive =>
  new UconArchive({
    serverUrl: url,
    folder: 'test01',
    object: 'configuration',
    user: 'writer',
    password: new Secret('secret'),
    verify: 'content',
    timeoutMs: 5_000,
    connections: 4,
    retryDelayMs: 2,
    now: () => Date.now(),
    random: () => 0.5,
    ...more,
  })
