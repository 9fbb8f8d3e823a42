/** What artdaq's tools hand to a shell may hold nothing that a shell reads. */
const SAFE = /^[A-Za-z0-9._/-]+$/

/** Why the path of a `filesystemdb://` URI cannot be used, as configuration and store see it; undefined where it can. */
export const faultOfArtdaqPath = (path: string): string | undefined =>
  SAFE.test(path)
    ? undefined
    : `${path} holds characters that artdaq's tools hand to a shell; letters, digits and . _ / - are safe`
