// Starts a fresh demo and passes on the signals that end it.
import { spawn } from 'node:child_process';
import { rmSync } from 'node:fs';
import { binary, dataDir, environment } from './server.js';

rmSync(dataDir, { recursive: true, force: true });
const demo = spawn(binary, ['--data-dir', dataDir, 'demo', '--listen', process.argv[2]], { env: environment, stdio: ['ignore', 'inherit', 'inherit'] });
for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => demo.kill(signal));
demo.on('exit', (code) => process.exit(code ?? 0));
