import { FhiclError } from './error.ts'
import { parseFhicl } from './parser.ts'

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
