// A search beside the page. The page says where its code is and hands over the module that it has compiled
// already: nothing is downloaded twice. What the search says goes back as text; a failure begins with "!".
addEventListener(
  'message',
  async ({ data: [code, module, job] }) => {
    try {
      const page = await import(code);
      await page.default({ module_or_path: module });
      await page.search(job);
    } catch (error) {
      postMessage(`!${error}`);
    }
  },
  { once: true },
);
