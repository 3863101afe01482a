#!/usr/bin/env node
import { fstatSync } from 'node:fs';
import { setFileAccess } from '../files.js';
import { nodeFiles } from '../node/files.js';
import { reportError, runProgram } from './program.js';

// A reader that has had enough (head, less) closes the pipe: no failure.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code === 'EPIPE') process.exit(0);
  throw error;
});

// What a native module throws outside of any promise is reported like the rest.
process.on('uncaughtException', (error) => process.exit(reportError(error, process.argv, process)));

setFileAccess(nodeFiles);
const { stdin, stdout, stderr } = process;
process.exitCode = await runProgram(process.argv.slice(2), { stdin, stdout, stderr, inputSize: inputSize() });

/** Bytes of standard input where it is a file, so that progress can say what is left. */
function inputSize(): number | undefined {
  try {
    const status = fstatSync(0);
    return status.isFile() ? status.size : undefined;
  } catch {
    return undefined;
  }
}
