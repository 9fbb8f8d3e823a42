// Gathers docs/changes into the newest release of CHANGELOG.md and removes what it gathered: npm run changelog
// Safe twice: what comes later goes below what is there.
import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

const FOLDER = 'docs/changes'
const { version } = JSON.parse(readFileSync('package.json', 'utf8'))
const changelog = readFileSync('CHANGELOG.md', 'utf8')
const heading = `## ${version}\n`
if (!changelog.includes(heading)) throw new Error(`CHANGELOG.md has no ${heading.trim()}`)

const names = readdirSync(FOLDER)
  .filter((name) => name.endsWith('.md') && name !== 'README.md')
  .sort()
const title = (name) => {
  const words = name.replace(/\.md$/, '').replaceAll('-', ' ')
  return `### ${words[0].toUpperCase()}${words.slice(1)}`
}
// A file that begins with a heading has its title; of another its name is.
const entries = names.map((name) => {
  const text = readFileSync(join(FOLDER, name), 'utf8').trim()
  return text.startsWith('### ') ? `${text}\n` : `${title(name)}\n\n${text}\n`
})
const start = changelog.indexOf(heading)
const next = changelog.indexOf('\n## ', start)
const end = next === -1 ? changelog.length : next + 1
const release = `${changelog.slice(start, end).trimEnd()}\n\n${entries.join('\n')}\n`
writeFileSync(
  'CHANGELOG.md',
  names.length === 0 ? changelog : changelog.slice(0, start) + release + changelog.slice(end),
)
for (const name of names) rmSync(join(FOLDER, name))
console.log(`${names.length} entries gathered into ${version}`)
