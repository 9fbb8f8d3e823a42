/** The browser's clock, epoch milliseconds: the only place of the script that asks it. */
export const now = (): number => Date.now()
