import { describe, expect, it } from 'vitest'
import { addressOf, fileOf, linksOf, staticHtml } from '../../../src/web/written/static-html.ts'

describe('the file of a page', () => {
  it.each([
    ['/', 'index.html'],
    ['/runs', 'runs.html'],
    ['/runs/1012', 'runs/1012.html'],
  ])('%s is %s', (address, file) => expect(fileOf(address)).toBe(file))

  it.each([
    '/performance?task=../../etc/passwd',
    '/executions/..%2f..',
    '/../x',
    '/a/%00',
    '/history?task=<b>',
  ])('has a name of letters and digits whatever the address is: %s', (address) =>
    expect(fileOf(address)).toMatch(/^[\w-]+\/[0-9a-f]{16}\.html$/),
  )

  it('differs for each address', () =>
    expect(
      new Set(['/history?task=a', '/history?task=A', '/history', '/history?task=a&day=1'].map(fileOf)).size,
    ).toBe(4))
})

describe('a page as a file', () => {
  const written = new Set(['/', '/runs', '/history?task=a&day=2026-01-02'])
  const page = (html: string, address = '/runs/7'): string =>
    staticHtml(html, address, { written, note: 'then' })

  it('leads to the files beside it, and keeps the place in them', () => {
    expect(page('<a class="x" href="/">o</a>')).toBe('<a class="x" href="../index.html">o</a>')
    expect(page('<a href="/runs#map">o</a>', '/')).toBe('<a href="runs.html#map">o</a>')
    const file = fileOf('/history?task=a&day=2026-01-02')
    expect(page('<a href="/history?task=a&amp;day=2026-01-02">o</a>')).toBe(`<a href="../${file}">o</a>`)
    expect(page('<link href="/assets/a.css">')).toBe('<link href="../assets/a.css">')
  })

  it.each([
    '/runs/8',
    '/api/v1/runs?state=failed',
    '/login',
    '/history?cursor=1-2',
    '/history?compare=1&amp;compare=2',
  ])('does not lead to what was not written: %s', (href) =>
    expect(page(`<a href="${href}">o</a>`)).toBe('<a>o</a>'),
  )

  it('has nothing that needs the server', () => {
    const html = [
      '<script src="/assets/a.js" defer=""></script><form class="filters" action="/x"><input name="q"/></form>',
      '<form method="post" action="/actions/x"><button>Go</button></form><dialog id="a"><p>b</p></dialog>',
      '<p class="exports"><a href="/api/v1/x">JSON</a></p><button data-copy="x"><svg></svg></button>',
      '<form action="/history"><table><tr><td><input type="checkbox"/>kept</td></tr></table></form>',
    ].join('')
    expect(page(html)).toBe('<table><tr><td>kept</td></tr></table>')
  })

  it('leaves texts as they are, whatever they look like', () => {
    const text = '<p>&lt;form class=&quot;filters&quot; action=&quot;/x&quot;&gt; href=&quot;/runs&quot;</p>'
    expect(page(text)).toBe(text)
  })
})

describe('links of a page', () => {
  it('are the pages behind it, each once', () =>
    expect(
      linksOf(
        '<a href="/runs">a</a><a href="/api/v1/x">b</a><a class="c" href="/runs#x">d</a><a href="https://e.org">e</a>',
      ),
    ).toEqual(['/runs']))

  it('are read as a browser reads them', () =>
    expect(addressOf('/history?task=a&amp;q=&quot;x&#39;')).toBe('/history?task=a&q="x\''))
})
