#!/usr/bin/env node
import { setFileAccess } from '../files.js';
import { nodeFiles } from '../node/files.js';
import { reportError, runProgram } from './program.js';
import { standardInput } from './standardInput.js';

// A reader that has had enough (head, less) closes the pipe: no failure.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code === 'EPIPE') process.exit(0);
  throw error;
});

// What a native module throws outside of any promise is reported like the rest.
process.on('uncaughtException', (error) => process.exit(reportError(error, process.argv, process)));

setFileAccess(nodeFiles);
const { stdin, stdout, stderr } = process;
process.exitCode = await runProgram(process.argv.slice(2), { ...standardInput(stdin), stdout, stderr });
