// Starts the page's code. A file of its own, so that the content security policy need not allow inline
// scripts. Trunk writes the names of the two code files into the meta element (pattern_script in Trunk.toml).
const code = document.querySelector('meta[name="zabscope-code"]');
try {
  const { default: init } = await import(new URL(code.content, document.baseURI).href);
  await init({ module_or_path: new URL(code.dataset.wasm, document.baseURI) });
} catch (error) {
  // The code never came up, so nobody else can tell the visitor. Once it runs, it shows its own dialog.
  if (document.body.childElementCount <= 1) {
    const text = document.createElement('p');
    text.setAttribute('role', 'alert');
    text.textContent = `zabscope could not start: ${error}. Please load the page again; it needs a browser with WebAssembly.`;
    document.body.append(text);
  }
  throw error;
}

// Offline and installed: sw.js keeps the page. Where that is not possible the page works as it did.
const keeper = navigator.serviceWorker;
if (keeper) {
  keeper.register('sw.js').catch(() => {});
  keeper.addEventListener('message', ({ data }) => {
    if (data === 'newer') window.dispatchEvent(new Event('zabscope-newer'));
  });
  document.addEventListener('visibilitychange', () => {
    if (document.visibilityState === 'visible') keeper.controller?.postMessage('look');
  });
}
