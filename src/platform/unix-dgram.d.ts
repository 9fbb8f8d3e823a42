/** An optional dependency without types of its own: what is used of it. */
declare module 'unix-dgram' {
  interface Socket {
    on(event: 'error' | 'congestion', listener: (error: Error) => void): this
    send(
      message: Buffer,
      offset: number,
      length: number,
      path: string,
      callback: (error?: Error) => void,
    ): void
    close(): void
  }
  const dgram: { createSocket(type: 'unix_dgram'): Socket }
  export default dgram
}
