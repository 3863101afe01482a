import { defineConfig } from 'vitest/config';

// .ci/run reads the totals from this file.
const report = process.env.POLYBEAM_TEST_REPORT;

export default defineConfig({
  test: {
    include: ['src/**/*.test.ts', 'eval/**/*.test.ts', 'test/**/*.test.ts', 'bench/**/*.test.ts'],
    pool: 'forks',
    // Vitest leaves one core out; of two that is half.
    maxWorkers: '100%',
    testTimeout: 60_000,
    hookTimeout: 60_000,
    reporters: report ? ['default', ['json', { outputFile: report }]] : ['default'],
    coverage: {
      provider: 'v8',
      include: ['src/**/*.ts', 'eval/**/*.ts'],
      reporter: ['text-summary', 'html'],
    },
  },
});
