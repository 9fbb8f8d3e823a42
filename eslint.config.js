import tseslint from 'typescript-eslint'

/** `import { z }` keeps the translations of all languages in the bundle: half a megabyte to compile at each start. */
const WHOLE_ZOD = {
  selector: "ImportDeclaration[source.value='zod'] > :not(ImportNamespaceSpecifier).specifiers",
  message: "Write: import * as z from 'zod'",
}

/** What it makes stays in its sources for as long as they live (Node 20): 5 kB for each item of a pass. */
const KEPT_SIGNAL = {
  selector: "MemberExpression[object.name='AbortSignal'][property.name='any']",
  message: 'Use withAnySignal of src/engine/any-signal.ts: it leaves nothing behind in its sources',
}

/** It never returns where the system says ENOENT of a name in a folder that is there, as /proc and automounters do. */
const ENDLESS_MKDIR = {
  selector: "CallExpression[callee.name=/^mkdir(Sync)?$/] Property[key.name='recursive']",
  message: 'Use makeFolder or makeFolderNow of src/platform/make-folder.ts',
}

/** Text that is put into a page as it is: every text must be escaped. */
const UNESCAPED = [
  {
    selector: "ImportDeclaration[source.value='hono/html']",
    message: 'Only src/web/components/drawn-once.tsx puts text in as it is',
  },
  {
    selector: "JSXAttribute[name.name='dangerouslySetInnerHTML']",
    message: 'Make elements: their texts are escaped',
  },
]

const FOLLOWING_LINKS = ['node:fs', 'node:fs/promises'].map((name) => ({
  name,
  importNames: ['appendFile', 'appendFileSync', 'createWriteStream', 'writeFile', 'writeFileSync'],
  message: 'They follow links: write by src/platform/own-file.ts or atomic-file.ts',
}))

export default tseslint.config(
  { ignores: ['dist/**', 'dist.*/**', 'coverage/**', 'node_modules/**', 'try-it/**'] },
  {
    files: ['**/*.ts', '**/*.tsx'],
    extends: [...tseslint.configs.strictTypeChecked],
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
    rules: {
      '@typescript-eslint/restrict-template-expressions': [
        'error',
        { allowNumber: true, allowBoolean: true },
      ],
      '@typescript-eslint/no-confusing-void-expression': ['error', { ignoreArrowShorthand: true }],
      '@typescript-eslint/no-unused-vars': ['error', { argsIgnorePattern: '^_', varsIgnorePattern: '^_' }],
      '@typescript-eslint/no-unnecessary-condition': ['error', { allowConstantLoopConditions: true }],
    },
  },
  {
    files: ['src/**/*.ts', 'src/**/*.tsx'],
    rules: { 'no-restricted-syntax': ['error', WHOLE_ZOD, KEPT_SIGNAL, ENDLESS_MKDIR, ...UNESCAPED] },
  },
  {
    files: ['src/web/components/drawn-once.tsx'],
    rules: { 'no-restricted-syntax': 'off' },
  },
  {
    // What these rooms write lies in work_dir, where somebody else may have put a link.
    files: ['src/rows/**/*.ts', 'src/records/**/*.ts', 'src/tracking/**/*.ts', 'src/queue/**/*.ts'],
    rules: { 'no-restricted-imports': ['error', { paths: FOLLOWING_LINKS }] },
  },
  {
    files: ['test/**/*.ts', 'scripts/**/*.ts'],
    rules: { '@typescript-eslint/no-non-null-assertion': 'off' },
  },
)
