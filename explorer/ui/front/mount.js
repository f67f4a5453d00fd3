// One view for each place on the page, kept there while Streamlit calls again and again.

/** What a call of Streamlit, with the data of `component`, has for an answer: the view inside the
 * element of that selector (made by `make(root)` where `views` has none) takes the data, and ends
 * with the returned function. */
export function mount(component, selector, views, make) {
  const root = component.parentElement.querySelector(selector);
  let view = views.get(root);
  if (!view) {
    view = make(root);
    views.set(root, view);
  }
  view.send = (name, value) => component.setTriggerValue(name, value);
  view.take(component.data);
  const call = (view.calls = (view.calls ?? 0) + 1);
  return () => {
    // Streamlit also ends calls that a later one has overtaken.
    if (view.calls !== call) return;
    view.end();
    views.delete(root);
  };
}
