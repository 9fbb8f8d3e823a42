import { gzipSync } from 'node:zlib'
import { describe, expect, it } from 'vitest'
import { planOf, valueOf, withColumn } from './plan-of.ts'

const V = '{ from: /r/@v, type: text }'
const NOTE = '{ from: /r/n/text(), type: text }'
const latin = (text: string): Buffer => Buffer.from(text, 'latin1')
const wide = (text: string, bigEndian: boolean): Buffer => {
  const bytes = Buffer.from(text, 'utf16le')
  return bigEndian ? bytes.swap16() : bytes
}

describe('text of a document', () => {
  it.each<[string, string, string, unknown]>([
    ['references to characters', V, '<r id="7" v="&#x41;&#66;&quot;&apos;&gt;"/>', `AB"'>`],
    ['a reference beyond 16 bits', V, '<r id="7" v="&#x1F642;"/>', '🙂'],
    ['white space by reference, which stays inside', V, '<r id="7" v="a&#9;b&#13;c"/>', 'a\tb\rc'],
    ['line breaks in an attribute', V, '<r id="7" v="a\r\nb"/>', 'a b'],
    ['quotes of the other kind', V, `<r id='7' v='say "x"'/>`, 'say "x"'],
    ['line breaks of Windows in text', NOTE, '<r id="7"><n>a\r\nb\rc</n></r>', 'a\nb\nc'],
    [
      'CDATA that holds markup',
      NOTE,
      '<r id="7"><n><![CDATA[<n id="8"/>&amp;]]></n></r>',
      '<n id="8"/>&amp;',
    ],
    ['two CDATA sections', NOTE, '<r id="7"><n><![CDATA[a]]]]><![CDATA[>b]]></n></r>', 'a]]>b'],
    ['empty CDATA', NOTE, '<r id="7"><n><![CDATA[]]></n></r>', null],
    ['an instruction in it', NOTE, '<r id="7"><n>a<?x y="1"?>b</n></r>', 'ab'],
    ['an empty element', NOTE, '<r id="7"><n/></r>', null],
    ['a missing element', NOTE, '<r id="7"/>', null],
    [
      'an element that says that it is nil',
      NOTE,
      '<r id="7" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"><n xsi:nil="true"/></r>',
      null,
    ],
    ['an element of children alone', NOTE, '<r id="7"><n> <b>x</b> </n></r>', null],
    ['xml:space, which is about layout', NOTE, '<r id="7"><n xml:space="preserve"> a </n></r>', 'a'],
    [
      'a name that is everywhere in JavaScript',
      '{ from: /r/constructor/@__proto__, type: text }',
      '<r id="7"><constructor __proto__="x"/></r>',
      'x',
    ],
    [
      'names of other alphabets',
      '{ from: /r/größe/@maß, type: text }',
      '<r id="7"><größe maß="5"/></r>',
      '5',
    ],
    [
      'names with points and dashes',
      '{ from: /r/a-b.c/@d.e-f, type: text }',
      '<r id="7"><a-b.c d.e-f="5"/></r>',
      '5',
    ],
    ['names whose case differs', V, '<r id="7" V="x"/>', null],
    ['a byte order mark', V, '\uFEFF<r id="7" v="x"/>', 'x'],
    ['a comment with -- in it', V, '<r id="7" v="x"><!-- a -- b --></r>', 'XML_NOT_WELL_FORMED'],
    ['an instruction after the root', V, '<r id="7" v="x"/><?end?>', 'x'],
    ['CDATA after the root', V, '<r id="7" v="x"/><![CDATA[]]>', 'XML_NOT_WELL_FORMED'],
    ['an empty document', V, '<?xml version="1.0"?>', 'XML_NOT_WELL_FORMED'],
    ['a comment alone', V, '<!-- x -->', 'XML_NOT_WELL_FORMED'],
    ['a < in an attribute', V, '<r id="7" v="a<b"/>', 'XML_NOT_WELL_FORMED'],
    ['a reference to a control character', V, '<r id="7" v="&#1;"/>', 'XML_NOT_WELL_FORMED'],
    ['an entity that nobody declared', V, '<r id="7" v="&nbsp;"/>', 'XML_NOT_WELL_FORMED'],
    ['DEL and C1, which XML 1.0 takes', V, '<r id="7" v="a\u007f\u0085b"/>', 'a\u007f\u0085b'],
    ['attributes without a blank between', V, '<r id="7"v="x"/>', 'XML_NOT_WELL_FORMED'],
    ['an empty doctype', V, '<!DOCTYPE r><r id="7" v="x"/>', 'XML_DOCTYPE'],
    ['a doctype in a comment', V, '<!-- <!DOCTYPE r> --><r id="7" v="x"/>', 'x'],
    ['a doctype in lower case', V, '<!doctype r><r id="7" v="x"/>', 'XML_NOT_WELL_FORMED'],
    ['blanks that XML does not know', V, '\u00a0\u2003', 'XML_NOT_WELL_FORMED'],
  ])('with %s', async (_what, column, payload, expected) => {
    expect(await valueOf(column, payload)).toEqual(expected)
  })
})

describe('bytes of a document', () => {
  it.each<[string, Buffer, unknown]>([
    ['UTF-8 without a declaration', Buffer.from('<r id="7" v="é€"/>'), 'é€'],
    ['UTF-8 with a mark', Buffer.from('\uFEFF<r id="7" v="é€"/>'), 'é€'],
    [
      'a mark that overrules the declaration',
      Buffer.from('\uFEFF<?xml version="1.0" encoding="ISO-8859-1"?><r id="7" v="é"/>'),
      'é',
    ],
    [
      'UTF-16 little-endian with a mark',
      wide('\uFEFF<?xml version="1.0" encoding="UTF-16"?><r id="7" v="é"/>', false),
      'é',
    ],
    ['UTF-16 big-endian with a mark', wide('\uFEFF<r id="7" v="é"/>', true), 'é'],
    [
      'UTF-16 big-endian without',
      wide('<?xml version="1.0" encoding="UTF-16"?><r id="7" v="é"/>', true),
      'é',
    ],
    ['ISO-8859-1', latin('<?xml version="1.0" encoding="ISO-8859-1"?><r id="7" v="\xe9\xa4"/>'), 'é¤'],
    ['ISO-8859-15', latin('<?xml version="1.0" encoding="iso-8859-15"?><r id="7" v="\xe9\xa4"/>'), 'é€'],
    [
      'windows-1252 by another name',
      latin('<?xml version="1.0" encoding="x-cp1252"?><r id="7" v="\x80"/>'),
      '€',
    ],
    ['windows-1251', latin('<?xml version="1.0" encoding="windows-1251"?><r id="7" v="\xc6"/>'), 'Ж'],
    [
      'declared in single quotes',
      latin(`<?xml version='1.0' encoding='windows-1252' standalone='yes'?><r id="7" v="\x80"/>`),
      '€',
    ],
    ['ASCII that is ASCII', latin('<?xml version="1.0" encoding="US-ASCII"?><r id="7" v="x"/>'), 'x'],
    ['gzip', gzipSync('<?xml version="1.0"?><r id="7" v="é"/>'), 'é'],
    [
      'gzip of windows-1252',
      gzipSync(latin('<?xml version="1.0" encoding="windows-1252"?><r id="7" v="\x80"/>')),
      '€',
    ],
    ['UTF-8 that is cut in a character', Buffer.from('<r id="7" v="é"/>').subarray(0, 14), 'XML_ENCODING'],
    [
      'a surrogate in UTF-8',
      Buffer.from([...latin('<r id="7" v="'), 0xed, 0xa0, 0x80, ...latin('"/>')]),
      'XML_ENCODING',
    ],
    [
      'more bytes than a character needs',
      Buffer.from([...latin('<r id="7" v="'), 0xc0, 0xaf, ...latin('"/>')]),
      'XML_ENCODING',
    ],
    [
      'UTF-16 with half a pair',
      Buffer.concat([wide('\uFEFF<r id="7" v="', false), Buffer.from([0x00, 0xd8]), wide('"/>', false)]),
      'XML_ENCODING',
    ],
    [
      'UTF-16 of an odd length',
      Buffer.concat([wide('\uFEFF<r id="7" v="x"/>', false), Buffer.from([0x20])]),
      'XML_ENCODING',
    ],
    ['UTF-32', Buffer.from([0, 0, 0xfe, 0xff, 0, 0, 0, 0x3c]), 'XML_ENCODING'],
    ['UTF-32 little-endian', Buffer.from([0xff, 0xfe, 0, 0, 0x3c, 0, 0, 0]), 'XML_ENCODING'],
    ['EBCDIC', Buffer.from([0x4c, 0x6f, 0xa7, 0x94, 0x93]), 'XML_ENCODING'],
    [
      'UTF-8 that is declared UTF-16',
      Buffer.from('<?xml version="1.0" encoding="UTF-16"?><r id="7" v="x"/>'),
      'XML_ENCODING',
    ],
    [
      'an encoding that nobody knows',
      Buffer.from('<?xml version="1.0" encoding="x-none"?><r id="7" v="x"/>'),
      'XML_ENCODING',
    ],
    ['blanks', Buffer.from(' \n\t'), 'PAYLOAD_EMPTY'],
    ['a mark alone', Buffer.from('\uFEFF'), 'PAYLOAD_EMPTY'],
    ['no byte', Buffer.alloc(0), 'PAYLOAD_EMPTY'],
    ['gzip of nothing', gzipSync(''), 'PAYLOAD_EMPTY'],
  ])('of %s', async (_what, payload, expected) => {
    expect(await valueOf(V, payload)).toEqual(expected)
  })
})

describe('namespaces', () => {
  const declared = 'namespaces: { p: "urn:x", q: "urn:y" }'
  const rooted = (column: string, top: string): string =>
    withColumn(column, top).replace('root: r, key: /r/@id', 'root: "p:r", key: "/p:r/@id"')
  const read = async (column: string, payload: string, top = declared): Promise<unknown> => {
    const plan = await planOf(rooted(column, top), payload)
    return plan.status === 'success' ? (plan.rows['t']?.[0]?.['v'] ?? null) : plan['code']
  }
  it.each<[string, string, string, unknown]>([
    ['as a default', '{ from: "/p:r/p:n/@k", type: text }', '<r xmlns="urn:x" id="7"><n k="5"/></r>', '5'],
    [
      'under another prefix',
      '{ from: "/p:r/q:n/@q:k", type: text }',
      '<a:r xmlns:a="urn:x" id="7"><b:n xmlns:b="urn:y" b:k="5" k="6"/></a:r>',
      '5',
    ],
    [
      'that is taken back',
      '{ from: "/p:r/n/text()", type: text }',
      '<r xmlns="urn:x" id="7"><n xmlns="">x</n></r>',
      'x',
    ],
    [
      'that is another one',
      '{ from: "/p:r/@v", type: text }',
      '<r xmlns="urn:z" id="7" v="1"/>',
      'ROOT_MISMATCH',
    ],
    ['that is missing', '{ from: "/p:r/@v", type: text }', '<r id="7" v="1"/>', 'ROOT_MISMATCH'],
    [
      'of an attribute, which has no default',
      '{ from: "/p:r/@p:v", type: text }',
      '<r xmlns="urn:x" id="7" v="1"/>',
      null,
    ],
    [
      'in an expression',
      `{ expr: '"p:r"."p:n".k || "p:r".id', type: text }`,
      '<r xmlns="urn:x" id="7"><n k="5"/></r>',
      '57',
    ],
    [
      'of a prefix that is not bound',
      '{ from: "/p:r/@v", type: text }',
      '<r xmlns="urn:x" id="7"><z:n/></r>',
      'XML_NOT_WELL_FORMED',
    ],
    [
      'of a prefix that is bound to nothing',
      '{ from: "/p:r/@v", type: text }',
      '<r xmlns="urn:x" xmlns:z="" id="7"/>',
      'XML_NOT_WELL_FORMED',
    ],
    [
      'of xml itself',
      '{ from: "/p:r/@xml:lang", type: text }',
      '<r xmlns="urn:x" xml:lang="de" id="7"/>',
      'de',
    ],
    [
      'whose prefix is xmlns',
      '{ from: "/p:r/@v", type: text }',
      '<r xmlns="urn:x" xmlns:xmlns="urn:y" id="7"/>',
      'XML_NOT_WELL_FORMED',
    ],
    [
      'that makes two attributes one, where nothing is mapped',
      '{ from: "/p:r/@v", type: text }',
      '<r xmlns="urn:x" id="7"><o xmlns:a="u" xmlns:b="u" a:k="1" b:k="2"/></r>',
      'XML_NOT_WELL_FORMED',
    ],
  ])('%s', async (_what, column, payload, expected) => {
    expect(await read(column, payload)).toEqual(expected)
  })
  it.each<[string, string, string, unknown]>([
    ['on the root', V, '<a:r xmlns:a="urn:x" id="7" v="x"/>', 'x'],
    ['on an attribute', V, '<r xmlns:a="urn:x" id="7" a:v="x"/>', 'x'],
    ['on an attribute beside one without', V, '<r xmlns:a="urn:x" id="7" a:v="x" v="y"/>', 'y'],
    [
      'such as xsi:type beside type',
      '{ from: /r/n/@k, type: text }',
      '<r id="7" xmlns:xsi="u"><n xsi:type="a" type="b" k="1"/></r>',
      '1',
    ],
    [
      'twice with one local name',
      V,
      '<r xmlns:a="u" xmlns:b="w" id="7" a:v="x" b:v="y"/>',
      'ELEMENT_AMBIGUOUS',
    ],
    ['that is not bound', V, '<r id="7"><z:n/></r>', 'XML_NOT_WELL_FORMED'],
  ])('that are ignored, with a prefix %s', async (_what, column, payload, expected) => {
    expect(await valueOf(column, payload, 'namespaces: ignore')).toEqual(expected)
  })
  it('that are declared keep names without a prefix apart', async () => {
    expect(await valueOf('{ from: /r/n/@k, type: text }', '<r id="7"><n xmlns="urn:x" k="5"/></r>')).toBe(
      null,
    )
    expect(await valueOf(V, '<r xmlns="urn:x" id="7" v="x"/>')).toBe('ROOT_MISMATCH')
  })
})

describe('a key', () => {
  const keyed = async (id: string, key: string, type = 'bigint'): Promise<unknown> => {
    const mapping = withColumn(V)
      .replace('key_type: bigint', `key_type: ${type}`)
      .replace('type: bigint', `type: ${type}`)
    const plan = await planOf(mapping, `<r ${id} v="x"/>`, { key })
    return plan.status === 'success' ? plan.rows['t']?.[0]?.['id'] : plan['code']
  }
  it.each<[string, string, unknown, string?]>([
    ['id=" 7 "', '7', 7],
    ['id="007"', '7', 7],
    ['id="+7"', '7', 'KEY_NOT_VALID'],
    ['id="5_0"', '50', 'KEY_NOT_VALID'],
    ['id="7.0"', '7', 'KEY_NOT_VALID'],
    ['id="7e0"', '7', 'KEY_NOT_VALID'],
    ['id="٧"', '7', 'KEY_NOT_VALID'],
    ['id=""', '7', 'KEY_MISSING'],
    ['id=" "', '7', 'KEY_MISSING'],
    ['no="7"', '7', 'KEY_MISSING'],
    ['ID="7"', '7', 'KEY_MISSING'],
    ['id="-7"', '-7', -7],
    ['id="9223372036854775807"', '9223372036854775807', '9223372036854775807'],
    ['id="9223372036854775808"', '9223372036854775808', 'KEY_NOT_VALID'],
    ['id="9007199254740993"', '9007199254740992', 'KEY_MISMATCH'],
    ['id="a-1"', 'a-1', 'a-1', 'text'],
    ['id="A-1"', 'a-1', 'KEY_MISMATCH', 'text'],
    ['id="007"', '7', 'KEY_MISMATCH', 'text'],
  ])('%s of the row %s gives %s', async (id, key, expected, type) => {
    expect(await keyed(id, key, type)).toEqual(expected)
  })
  it('may stand in an element, once', async () => {
    const mapping = withColumn(V).replace('/r/@id', '/r/head/id/text()')
    const read = async (payload: string): Promise<unknown> => {
      const plan = await planOf(mapping, payload)
      return plan.status === 'success' ? plan.rows['t']?.[0]?.['id'] : plan['code']
    }
    expect(await read('<r><head><id> 7 </id></head></r>')).toBe(7)
    expect(await read('<r><head><id>7</id><id>7</id></head></r>')).toBe('KEY_NOT_VALID')
    expect(await read('<r><head/></r>')).toBe('KEY_MISSING')
  })
})
