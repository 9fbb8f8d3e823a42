/**
 * How often a random test tries, or how large a large file is: `few` is enough to show the kind of fault, and what `npm test` and `npm run check`
 * do; `many` is tried where TEST_SIZES=many, as CI does once.
 */
export const sized = (few: number, many: number): number =>
  process.env['TEST_SIZES'] === 'many' ? many : few
