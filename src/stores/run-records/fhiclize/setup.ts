import { ascii } from '../../../fhicl/accepted-text.ts'
import { decode } from './python-text.ts'
import { escaped } from './fhicl-printer.ts'

/** `setup.txt` to FHiCL: the whole script in one text, without a line end behind it. */
export const convertSetup = (bytes: Uint8Array): string => `setup_script: ${escaped(ascii(decode(bytes)))}`
