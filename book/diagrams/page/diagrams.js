// The element <coracle-diagram name="…">: carries events to a diagram's module and shows what comes back. The module, a script
// beside this one, is loaded when the element comes near the view; until then, and without scripts, the still is there.
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
        var script = document.createElement("script");
        script.src = base + name + ".js";
        document.head.appendChild(script);
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

        take(target) {
            var module = modules[this.getAttribute("name")];
            this.show(module.next(this.link, target.dataset.event), target.dataset.event);
        }

        show(link, event) {
            this.link = link;
            var had = this.contains(document.activeElement);
            this.innerHTML = modules[this.getAttribute("name")].show(link);
            this.dataset.link = link;
            var control = event && this.querySelector("input[data-event='" + event + "'], button[data-event='" + event + "']");
            if (had && control) { control.focus(); }
        }
    });
})();
