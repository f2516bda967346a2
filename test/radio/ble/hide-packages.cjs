// Preloaded: the Bluetooth packages are not found, as on a machine that did not install them.
const Module = require('node:module');
const resolve = Module._resolveFilename;
Module._resolveFilename = function (request, ...rest) {
  if (!/^(@abandonware|@stoprocent)\/|^bleno$/.test(request)) return resolve.call(this, request, ...rest);
  throw Object.assign(new Error(`Cannot find module '${request}'`), { code: 'MODULE_NOT_FOUND' });
};
