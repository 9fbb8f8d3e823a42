import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { setTimeout as pause } from 'node:timers/promises'

/** Node has no Unix datagram sockets, so python3 receives what systemd would. */
const PROGRAM = `
import json, socket, sys
server = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
server.bind(sys.argv[1])
while True: print(json.dumps(server.recv(65536).decode()), flush=True)
`

/** Whether the messages to systemd can be received here. */
export const canReceive = [['python3', '--version'] as const, ['systemd-notify', '--version'] as const].every(
  ([program, option]) => spawnSync(program, [option]).status === 0,
)
if (!canReceive) console.warn('SKIPPED: messages to systemd need python3 and systemd-notify')

/** A socket in the place of systemd's. */
export class SystemdSocket {
  readonly messages: string[] = []
  readonly #child: ChildProcess

  private constructor(path: string) {
    this.#child = spawn('python3', ['-c', PROGRAM, path], { stdio: ['ignore', 'pipe', 'inherit'] })
    let text = ''
    this.#child.stdout?.on('data', (chunk: Buffer) => {
      const lines = (text + chunk.toString()).split('\n')
      text = lines.pop() ?? ''
      // systemd-notify follows each message with a barrier: it ends once systemd has taken the message.
      const received = lines.map((line) => JSON.parse(line) as string)
      this.messages.push(...received.filter((message) => message !== 'BARRIER=1'))
    })
  }

  static async open(path: string): Promise<SystemdSocket> {
    const socket = new SystemdSocket(path)
    for (let tries = 0; tries < 500 && !existsSync(path); tries++) await pause(10)
    return socket
  }

  close(): void {
    this.#child.kill('SIGKILL')
  }
}
