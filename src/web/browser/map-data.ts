/** The map's answer: run lengths from the first run on, the marks, and what is known of failed runs. */
export interface MapData {
  readonly first: number
  readonly last: number
  readonly marks: Readonly<
    Record<'import' | 'migrate', { readonly contiguous: number; readonly attempted: number } | null>
  >
  readonly rle: readonly number[]
  readonly failed: readonly (readonly [run: number, stage: string, code: string])[]
}

export type Zoom = 'all' | '10000' | '1000'

/** Asks for the map's data. Throws where the server is away or answers with a problem. */
export const loadMap = async (address: string): Promise<MapData> => {
  const reply = await fetch(address, { headers: { accept: 'application/json' } })
  if (!reply.ok) throw new Error(`the map's data: ${reply.status}`)
  return (await reply.json()) as MapData
}
