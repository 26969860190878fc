// Before the first paint: the colours that were chosen here. Without a choice the system's hold.
(() => {
  const root = document.documentElement;
  const show = () => {
    const chosen = localStorage.getItem("boards-theme");
    if (chosen === "light" || chosen === "dark") root.dataset.theme = chosen;
    else delete root.dataset.theme;
  };
  try {
    show();
    addEventListener("storage", show);
  } catch (error) {
    console.info("No place to keep the choice of colours:", error); // storage is blocked
  }
})();
