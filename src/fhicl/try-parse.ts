import type { FhiclDocument } from './document.ts'
import { FhiclError } from './error.ts'
import { parseFhicl } from './parser.ts'

/** The document that a text is; undefined where artdaq would refuse it. */
export const tryFhicl = (input: string | Uint8Array): FhiclDocument | undefined => {
  try {
    return parseFhicl(input)
  } catch (error) {
    if (error instanceof FhiclError) return undefined
    throw error
  }
}

/** Whether artdaq would take a text as FHiCL. */
export const isFhicl = (input: string | Uint8Array): boolean => fhiclFault(input) === undefined

/** Why artdaq would not take a text as FHiCL; undefined where it would. */
export const fhiclFault = (input: string | Uint8Array): FhiclError | undefined => {
  try {
    parseFhicl(input)
    return undefined
  } catch (error) {
    if (error instanceof FhiclError) return error
    throw error
  }
}
