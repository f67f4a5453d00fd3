/** An element of a kind and class, with a text in it that is never markup. */
export function element(kind, role, text = "") {
  const made = document.createElement(kind);
  if (role) made.className = role;
  made.textContent = text;
  return made;
}
