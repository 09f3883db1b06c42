// Node alone does not resolve the imports of these TypeScript sources; Vite does.
import { runnerImport } from 'vite';

await runnerImport('./pictures/take.ts');
