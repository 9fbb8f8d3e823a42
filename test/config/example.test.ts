import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { KEYS } from '../../src/config/settings.ts'
import { placeSettings } from '../../src/config/match-keys.ts'
import { settingsOf } from '../../src/config/schema.ts'
import { parseTree } from '../../src/config/yaml-tree.ts'
import { parse } from './given.ts'

describe('config.example.yaml', () => {
  const text = readFileSync('config.example.yaml', 'utf8')
  it('is valid in an empty environment', () => {
    expect(parse(text).app.workDir).toBe('/var/lib/run_record_archiver')
  })
  it('names a folder of payloads, for there are no patterns in it', () => {
    expect(text).toMatch(/^#    source_files: [\w/]+( +#.*)?$/m)
  })
  it('shows every setting there is', () => {
    const shown = new Set([...text.matchAll(/^\s*#? *([a-z_]+):/gm)].map((match) => match[1]))
    const missing = [...settingsOf(KEYS)]
      .map(([path]) => path.split('.').at(-1) ?? '')
      .filter((name) => !shown.has(name) && !shown.has(`${name}_file`))
    expect(missing).toEqual([])
  })
  it('shows the default of whatever stands behind #', () => {
    const bare = text.replace(/^( *)#( *[a-z_]+:)/gm, (_line, indent: string, rest: string) => indent + rest)
    const placed = placeSettings(KEYS, parseTree(bare).root).settings
    const wrong = placed.flatMap(({ path, key, node, at }) => {
      const wasHidden = text.split('\n')[at.line - 1]?.trim().startsWith('#') === true
      const isDefault = typeof key.default === 'string' && key.default !== '' && !path.endsWith('server_url')
      return wasHidden && isDefault && node?.type === 'text' && node.text !== key.default ? [path] : []
    })
    expect(wrong).toEqual([])
  })
})
