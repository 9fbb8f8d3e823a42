import { EXECUTION_READS } from './execution-reads.ts'
import { PART_READS } from './part-reads.ts'
import type { Read } from './question.ts'
import { RUN_READS } from './run-reads.ts'

/** Every read of the API. */
export const READS: readonly Read[] = [...EXECUTION_READS, ...RUN_READS, ...PART_READS]

/** A write that another part of the program serves, as the document describes it. */
export interface Write {
  readonly method: 'post' | 'patch'
  readonly path: string
  readonly doc: string
  /** JSON Schema of the body. */
  readonly body: object
}

/** The OpenAPI document, made from the tables that serve the API. */
export const openApi = (version: string, base: string, writes: readonly Write[]): object => {
  const paths: Record<string, Record<string, object>> = {}
  for (const read of READS)
    paths[read.path] = { ...paths[read.path], get: operation(read.doc, read.path, read) }
  for (const write of writes)
    paths[write.path] = {
      ...paths[write.path],
      [write.method]: {
        ...operation(write.doc, write.path),
        security: [{ token: [] }],
        requestBody: { required: true, content: { 'application/json': { schema: write.body } } },
      },
    }
  return {
    openapi: '3.1.0',
    info: { title: 'run-archiver', version },
    servers: [{ url: `${base}/api/v1` }],
    paths,
    components: {
      securitySchemes: { token: { type: 'http', scheme: 'bearer' } },
      schemas: { Problem: PROBLEM },
    },
  }
}

const PROBLEM = {
  type: 'object',
  required: ['type', 'title', 'status', 'code'],
  properties: {
    type: { type: 'string' },
    title: { type: 'string' },
    status: { type: 'integer' },
    code: { type: 'string', description: 'a code of docs/ERRORS.md' },
  },
}

const operation = (doc: string, path: string, read?: Read): object => ({
  summary: doc,
  operationId: path.replace(/[{}]/g, '').replace(/\W+(\w)/g, (_, letter: string) => letter.toUpperCase()),
  parameters: [
    ...[...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => ({
      name,
      in: 'path',
      required: true,
      schema: { type: 'string' },
    })),
    ...(read?.query ?? []).map((parameter) => ({
      name: parameter.name,
      in: 'query',
      description: parameter.doc,
      schema: { type: parameter.integer ? 'integer' : 'string' },
    })),
  ],
  responses: {
    '200': {
      description: 'the answer',
      content:
        read?.kind === 'text'
          ? { 'text/plain': { schema: { type: 'string' } } }
          : { 'application/json': { schema: read?.kind === 'list' ? LIST : { type: 'object' } } },
    },
    default: {
      description: 'what is wrong',
      content: { 'application/problem+json': { schema: { $ref: '#/components/schemas/Problem' } } },
    },
  },
})

const LIST = {
  type: 'object',
  required: ['items'],
  properties: { items: { type: 'array', items: {} }, next: { type: 'string' } },
}
