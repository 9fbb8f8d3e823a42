/** What a person did on the page. */
export interface ActionLine {
  /** Epoch milliseconds. */
  readonly at: number
  readonly action: string
  readonly command: string
  readonly who: string
  readonly from: string
}
