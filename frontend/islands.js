// Wakes the islands of a page when the browser has nothing better to do. The two addresses are filled in when the
// site is bundled.
const idle = window.requestIdleCallback ?? ((then) => setTimeout(then, 1));
idle(async () => {
  const wasm = await import("{{js}}");
  await wasm.default({ module_or_path: "{{wasm}}" });
  wasm.hydrate();
  for (const island of document.querySelectorAll("leptos-island")) {
    await wasm[island.dataset.component]?.(island);
  }
  document.documentElement.dataset.islands = "awake";
}, { timeout: 2000 });
