import { gzipSync } from 'node:zlib'
import { describe, expect, it } from 'vitest'
import { ItemError } from '../../../src/records/item-error.ts'
import { readPayload } from '../../../src/records/payload/read-payload.ts'
import { KEEP_ALL } from '../../../src/records/payload/reach.ts'

const limits = { bytes: 100_000, depth: 50, nodes: 5000, attributes: 20 }
const read = (payload: string | Uint8Array, format: 'xml' | 'json' = 'xml') =>
  readPayload(payload, {
    format,
    limits,
    naming: { namespaces: 'declared', ignoreAttributeCase: false },
    selection: KEEP_ALL,
  })
const bytes = (text: string): Buffer => Buffer.from(text, 'latin1')

describe('a hostile payload', () => {
  it.each<[string, string | Uint8Array, string]>([
    ['a document type', '<!DOCTYPE r><r/>', 'XML_DOCTYPE'],
    ['an external entity', '<!DOCTYPE r [<!ENTITY x SYSTEM "file:///etc/passwd">]><r>&x;</r>', 'XML_DOCTYPE'],
    ['an unknown entity', '<r>&x;</r>', 'XML_NOT_WELL_FORMED'],
    ['a lone ampersand', '<r>a & b</r>', 'XML_NOT_WELL_FORMED'],
    ['two roots', '<r/><r/>', 'XML_NOT_WELL_FORMED'],
    ['text after the root', '<r/>x', 'XML_NOT_WELL_FORMED'],
    ['text before the root', 'x<r/>', 'XML_NOT_WELL_FORMED'],
    ['a cut end', '<r><a></a>', 'XML_NOT_WELL_FORMED'],
    ['a cut tag', '<r><a', 'XML_NOT_WELL_FORMED'],
    ['a cut comment', '<r><!-- ', 'XML_NOT_WELL_FORMED'],
    ['a cut CDATA', '<r><![CDATA[', 'XML_NOT_WELL_FORMED'],
    ['crossed tags', '<r><a><b></a></b></r>', 'XML_NOT_WELL_FORMED'],
    ['an attribute twice', '<r a="1" a="2"/>', 'XML_NOT_WELL_FORMED'],
    [
      'an attribute twice by its namespace',
      '<r xmlns:p="u" xmlns:q="u" p:a="1" q:a="2"/>',
      'XML_NOT_WELL_FORMED',
    ],
    ['an attribute without quotes', '<r a=1/>', 'XML_NOT_WELL_FORMED'],
    ['a < in an attribute', '<r a="<"/>', 'XML_NOT_WELL_FORMED'],
    ['NUL', '<r>\0</r>', 'XML_NOT_WELL_FORMED'],
    ['a reference to NUL', '<r>&#0;</r>', 'XML_NOT_WELL_FORMED'],
    ['a control character', '<r a="\u0001"/>', 'XML_NOT_WELL_FORMED'],
    ['half of a surrogate pair', '<r>&#xD800;</r>', 'XML_NOT_WELL_FORMED'],
    ['U+FFFE', '<r>\uFFFE</r>', 'XML_NOT_WELL_FORMED'],
    ['XML 1.1', '<?xml version="1.1"?><r/>', 'XML_NOT_WELL_FORMED'],
    ['a declaration that is not at the beginning', ' <?xml version="1.0"?><r/>', 'XML_NOT_WELL_FORMED'],
    ['a prefix that is not bound', '<p:r/>', 'XML_NOT_WELL_FORMED'],
    ['a name of colons', '<a:b:c xmlns:a="u"/>', 'XML_NOT_WELL_FORMED'],
    ['-- in a comment', '<r><!-- a -- b --></r>', 'XML_NOT_WELL_FORMED'],
    [']]> in text', '<r>]]></r>', 'XML_NOT_WELL_FORMED'],
    ['60 levels', '<a>'.repeat(60) + '</a>'.repeat(60), 'XML_TOO_DEEP'],
    ['too many elements', `<r>${'<a/>'.repeat(6000)}</r>`, 'XML_TOO_LARGE'],
    [
      'too many attributes',
      `<r ${Array.from({ length: 30 }, (_, n) => `a${n}=""`).join(' ')}/>`,
      'XML_TOO_LARGE',
    ],
    ['too many bytes', `<r>${'x'.repeat(100_001)}</r>`, 'XML_TOO_LARGE'],
    ['a gzip bomb', gzipSync('x'.repeat(5_000_000)), 'XML_TOO_LARGE'],
    ['a cut gzip', gzipSync('<r/>').subarray(0, 12), 'XML_ENCODING'],
    ['bytes that are not UTF-8', bytes('<r>\xff</r>'), 'XML_ENCODING'],
    [
      'bytes that are not ASCII',
      bytes('<?xml version="1.0" encoding="US-ASCII"?><r>\xe9</r>'),
      'XML_ENCODING',
    ],
    [
      'a declaration that cannot be true',
      bytes('<?xml version="1.0" encoding="UTF-16"?><r/>'),
      'XML_ENCODING',
    ],
    ['an unknown encoding', bytes('<?xml version="1.0" encoding="klingon"?><r/>'), 'XML_ENCODING'],
    [
      'a byte that windows-1252 does not have',
      bytes('<?xml version="1.0" encoding="windows-1252"?><r>\x81</r>'),
      'XML_ENCODING',
    ],
    ['nothing', '', 'PAYLOAD_EMPTY'],
  ])('with %s is refused', (_what, payload, code) => {
    expect(() => read(payload)).toThrow(expect.objectContaining({ code }) as Error)
  })
  it.each([
    '{"r":1',
    '{"r":{"a":1,"a":2}}',
    '[1]',
    '{}',
    '{"r":{},"s":{}}',
    '{"r":{"a":01}}',
    '{"r":{"a":"\u0001"}}',
    '{"r":{"a":"\\ud800"}}',
    '{"r":{}} x',
    "{'r':{}}",
  ])('of JSON, %s, is refused', (text) => {
    expect(() => read(text, 'json')).toThrow(ItemError)
  })
  it('cannot reach the prototype by its names', () => {
    const root = read('<r __proto__="x" constructor="y"><__proto__ a="1"/></r>')
    expect([...root.attributes]).toEqual([
      ['__proto__', 'x'],
      ['constructor', 'y'],
    ])
    expect(Object.keys(Object.prototype)).toEqual([])
  })
  it('is refused without its words in the message', () => {
    const refusal = (() => {
      try {
        read('<Mueller secret="Weidenau">&Mueller;</Mueller>')
        return ''
      } catch (error) {
        return (error as Error).message
      }
    })()
    expect(refusal).toMatch(/^the payload is no XML at line 1, column \d+/)
    expect(refusal).not.toMatch(/Mueller|Weidenau/)
  })
})

describe('a sound payload', () => {
  it.each<[string, Uint8Array]>([
    ['UTF-8 with a mark', Buffer.from('\uFEFF<r>é€</r>', 'utf8')],
    ['UTF-16 with a mark', Buffer.from('\uFEFF<r>é€</r>', 'utf16le')],
    ['UTF-16 without', Buffer.from('<r>é€</r>', 'utf16le')],
    ['windows-1252', bytes('<?xml version="1.0" encoding="windows-1252"?><r>\xe9\x80</r>')],
    ['gzip', gzipSync('<r>é€</r>')],
  ])('is read from %s', (_what, payload) => {
    expect(read(payload).text).toBe('é€')
  })
})
