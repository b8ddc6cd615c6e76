// The reader's choice between light and dark, kept across pages; without it, or without a script, the system's choice holds.
(function () {
    "use strict";
    var root = document.documentElement;
    function kept() {
        try { return localStorage.getItem("coracle-theme"); } catch (refused) { return null; }
    }
    function isDark() {
        return root.dataset.theme ? root.dataset.theme === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
    }
    if (kept()) { root.dataset.theme = kept(); }
    document.addEventListener("DOMContentLoaded", function () {
        var button = document.querySelector("button.theme");
        function say() { button.textContent = isDark() ? "light" : "dark"; }
        button.addEventListener("click", function () {
            root.dataset.theme = isDark() ? "light" : "dark";
            try { localStorage.setItem("coracle-theme", root.dataset.theme); } catch (refused) { /* this page only */ }
            say();
        });
        say();
        // The page that is open is told from the others, and the contents close when a reader goes elsewhere.
        var contents = document.querySelector("details.contents");
        if (!contents) { return; }
        var here = location.pathname.split("/").pop() || "index.html";
        contents.querySelectorAll("a").forEach(function (link) {
            if (link.getAttribute("href").split("/").pop() === here) { link.setAttribute("aria-current", "page"); }
        });
        document.addEventListener("click", function (event) {
            if (!contents.contains(event.target)) { contents.open = false; }
        });
        document.addEventListener("keydown", function (event) {
            if (event.key === "Escape") { contents.open = false; }
        });
    });
})();
