declare module 'idiomorph/dist/idiomorph.esm.js' {
  interface Options {
    readonly morphStyle?: 'outerHTML' | 'innerHTML'
    readonly ignoreActiveValue?: boolean
    readonly callbacks?: {
      readonly beforeNodeMorphed?: (from: Node, to: Node) => boolean
      readonly beforeAttributeUpdated?: (name: string, node: Node, kind: 'update' | 'remove') => boolean
    }
  }
  /** Makes an element as the HTML says, changing as little as possible. */
  export const Idiomorph: { morph(element: Element, html: string, options?: Options): void }
}
