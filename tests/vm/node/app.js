// SPDX-License-Identifier: LGPL-2.1-or-later
//
// tests/vm/node/app.js - does V8 compile here? Asked of V8, of the kernel, and by running WebAssembly
//
//   node --allow-natives-syntax /app.js [stay]     stay: goes on for ten minutes

const fs = require('fs');

function hot(n) {
	let sum = 0;
	for (let i = 0; i < n; i++)
		sum = (sum + i * 7) | 0;
	return sum;
}

%PrepareFunctionForOptimization(hot);
hot(100);
hot(100);
%OptimizeFunctionOnNextCall(hot);
const sum = hot(100000);
const OPTIMIZED = 1 << 4; // V8 11.3, runtime.h: OptimizationStatus::kOptimized
console.log(`node ${process.version}: hot() is ${%GetOptimizationStatus(hot) & OPTIMIZED ? 'optimised' : 'NOT optimised'}, ${sum}`);

// Executable mappings without a file, but the kernel's own.
let kib = 0, maps = 0;
for (const line of fs.readFileSync('/proc/self/maps', 'latin1').split('\n')) {
	const [range, rights, , , inode, name] = line.split(/ +/);
	if (!rights || rights[2] !== 'x' || inode !== '0' || name)
		continue;
	const [from, to] = range.split('-').map((x) => parseInt(x, 16));
	kib += (to - from) / 1024;
	maps++;
}
console.log(`node: executable memory of its own: ${maps ? 'some' : 'NONE'} (${kib} KiB in ${maps})`);

// (module (func (export "f") (param i32) (result i32) local.get 0 i32.const 2 i32.mul))
const wasm = new Uint8Array([0, 97, 115, 109, 1, 0, 0, 0, 1, 6, 1, 96, 1, 127, 1, 127, 3, 2, 1, 0, 7, 5, 1, 1, 102, 0, 0, 10, 9, 1, 7, 0, 32, 0, 65, 2, 108, 11]);
console.log(`node: WebAssembly says ${new WebAssembly.Instance(new WebAssembly.Module(wasm)).exports.f(21)}`);

if (process.argv[2] === 'stay')
	setTimeout(() => 0, 600000);
