import { spawnSync } from 'node:child_process'

/** Three machines on one network: namespaces with names and addresses of their own. */
export class Machines {
  readonly #prefix = `ra${process.pid % 10_000}`
  readonly names = ['a', 'b', 'c']

  static get allowed(): boolean {
    const name = `ratry${process.pid}`
    const made = spawnSync('ip', ['netns', 'add', name]).status === 0
    if (made) spawnSync('ip', ['netns', 'del', name])
    return made && spawnSync('unshare', ['--uts', 'true']).status === 0
  }

  /** The address of this machine, as the three see it. */
  get here(): string {
    return `10.213.${process.pid % 200}.254`
  }

  start(): void {
    const bridge = `${this.#prefix}br`
    const net = this.here.replace(/\.254$/, '')
    this.#ip('link', 'add', bridge, 'type', 'bridge')
    this.#ip('addr', 'add', `${this.here}/24`, 'dev', bridge)
    this.#ip('link', 'set', bridge, 'up')
    for (const [i, name] of this.names.entries()) {
      const space = this.#prefix + name
      this.#ip('netns', 'add', space)
      this.#ip('link', 'add', `${space}h`, 'type', 'veth', 'peer', 'name', 'eth0', 'netns', space)
      this.#ip('link', 'set', `${space}h`, 'master', bridge, 'up')
      this.#ip('-n', space, 'addr', 'add', `${net}.${i + 1}/24`, 'dev', 'eth0')
      this.#ip('-n', space, 'link', 'set', 'eth0', 'up')
      this.#ip('-n', space, 'link', 'set', 'lo', 'up')
    }
  }

  /** Words that run a program on a machine. */
  on(name: string): string[] {
    const host = `machine-${name}`
    return [
      'ip',
      'netns',
      'exec',
      this.#prefix + name,
      'unshare',
      '--uts',
      'sh',
      '-c',
      `hostname ${host}; exec "$@"`,
      host,
    ]
  }

  cable(name: string, state: 'up' | 'down'): void {
    this.#ip('link', 'set', `${this.#prefix}${name}h`, state)
  }

  close(): Promise<void> {
    for (const name of this.names) spawnSync('ip', ['netns', 'del', this.#prefix + name])
    spawnSync('ip', ['link', 'del', `${this.#prefix}br`])
    return Promise.resolve()
  }

  #ip(...words: string[]): void {
    const { status, stderr } = spawnSync('ip', words, { encoding: 'utf8' })
    if (status !== 0) throw new Error(`ip ${words.join(' ')}: ${stderr}`)
  }
}
