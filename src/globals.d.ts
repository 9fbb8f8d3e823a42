/** The package's version, put in by scripts/build.mjs. */
declare const __VERSION__: string
/** The commit that was built, put in likewise; empty outside a checkout. */
declare const __COMMIT__: string
