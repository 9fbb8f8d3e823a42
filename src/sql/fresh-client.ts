import pg from 'pg'

/** For a pool of pg: a client that asks for its URL when it is made, because passwords are changed while a daemon runs. */
export const clientAt = (address: () => string): new () => pg.ClientBase =>
  class extends pg.Client {
    constructor(config?: pg.ClientConfig) {
      super({ ...config, connectionString: address() })
    }
  }
