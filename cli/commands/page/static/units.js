export function mount(root) {}
export function show(state) {}
