/**
 * The same items in the same order, each read while the caller works on the one before it. An error is thrown where its item would have come.
 */
export async function* readAhead<Item>(items: AsyncIterable<Item>): AsyncGenerator<Item> {
  const iterator = items[Symbol.asyncIterator]()
  const read = (): Promise<IteratorResult<Item, unknown>> => {
    const reading = iterator.next()
    reading.catch(() => undefined) // it is thrown below; until then it is no unhandled one
    return reading
  }
  let next = read()
  try {
    for (;;) {
      const item = await next
      if (item.done === true) return
      next = read()
      yield item.value
    }
  } finally {
    await next.catch(() => undefined)
    await iterator.return?.()
  }
}
