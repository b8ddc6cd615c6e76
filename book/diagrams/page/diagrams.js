// The element <coracle-diagram name="…">: carries events to a diagram's module and shows what comes back. The module, a script
// beside this one, is loaded when the element comes near the view; until then, and without scripts, the still is there.
//
// A page that `coracle book --live` serves can also show the reader's own containers below a diagram. It asks the engine when the
// reader says so, and never of itself; a module of its own compares what the engine answers.
(function () {
    "use strict";
    var base = document.currentScript.src.replace(/[^/]*$/, "");
    var modules = {};
    var waiting = {};

    window.coracleDiagram = function (name, module) {
        modules[name] = module;
        (waiting[name] || []).forEach(function (element) { element.begin(); });
    };

    function load(element, name) {
        if (modules[name]) { return element.begin(); }
        if (waiting[name]) { return waiting[name].push(element); }
        waiting[name] = [element];
        add(name);
    }

    function add(name) {
        var script = document.createElement("script");
        script.src = base + name + ".js";
        document.head.appendChild(script);
    }

    // The token of the link by which the book was opened; book.js has kept it.
    function token() {
        try { return location.protocol === "file:" ? null : sessionStorage.getItem("coracle-token"); } catch (refused) { return null; }
    }

    var comparing = null;
    function compare() {
        comparing = comparing || new Promise(function (ready) { window.coracleLive = ready; add("live"); });
        return comparing;
    }

    // The engine's answer; what keeps it from one is an answer of the same kind.
    function ask() {
        return fetch("/live/containers?token=" + encodeURIComponent(token())).then(function (answer) {
            return answer.text().then(function (text) { return answer.ok ? text : JSON.stringify({ refused: text.trim() }); });
        }).catch(function () {
            return JSON.stringify({ refused: "The engine does not answer. Is coracle book still running?" });
        });
    }

    customElements.define("coracle-diagram", class extends HTMLElement {
        connectedCallback() {
            var element = this;
            var observer = new IntersectionObserver(function (entries) {
                if (!entries.some(function (entry) { return entry.isIntersecting; })) { return; }
                observer.disconnect();
                load(element, element.getAttribute("name"));
            }, { rootMargin: "600px" });
            observer.observe(element);
        }

        begin() {
            var element = this;
            element.addEventListener("change", function (event) { element.take(event.target); });
            element.addEventListener("click", function (event) {
                var target = event.target.closest("button[data-event], g[data-event]");
                if (target) { element.take(target); }
                var wanted = event.target.closest("button[data-live]");
                if (wanted) { element.ask(wanted.dataset.live); }
            });
            addEventListener("hashchange", function () { element.follow(); });
            element.show(element.named() || "");
        }

        // The state that the address names, if it names one of this diagram.
        named() {
            var words = decodeURIComponent(location.hash.slice(1)).split("=");
            return words[0] === this.getAttribute("name") ? words[1] || "" : null;
        }

        follow() {
            var link = this.named();
            if (link !== null && link !== this.link) { this.show(link); }
        }

        // The section of the reader's own containers, which stays when the diagram is drawn anew.
        live() {
            if (!this.section) {
                this.section = document.createElement("section");
                this.section.className = "live";
                this.section.setAttribute("aria-label", "Your own containers");
                this.section.innerHTML = "<button type='button' data-live=''>Show your own containers</button>";
            }
            return this.section;
        }

        // Asks the engine, and shows the container with this id, or the one that was shown, or the first.
        ask(id) {
            var element = this;
            element.chosen = id || element.chosen || "";
            Promise.all([compare(), ask()]).then(function (both) {
                var had = element.section.contains(document.activeElement);
                element.section.innerHTML = both[0].show(element.getAttribute("name"), both[1], element.chosen);
                var button = element.section.querySelector("button[data-live='" + id + "']");
                if (had && button) { button.focus(); }
            });
        }

        take(target) {
            var module = modules[this.getAttribute("name")];
            this.show(module.next(this.link, target.dataset.event), target.dataset.event);
        }

        show(link, event) {
            this.link = link;
            var had = this.contains(document.activeElement);
            this.innerHTML = modules[this.getAttribute("name")].show(link);
            if (token()) { this.append(this.live()); }
            this.dataset.link = link;
            var control = event && this.querySelector("input[data-event='" + event + "'], button[data-event='" + event + "']");
            if (had && control) { control.focus(); }
        }
    });
})();
