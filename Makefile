# make help lists the targets.
GO ?= go
BIN := bin/acdc
FUZZTIME ?= 100000x
STATICCHECK := honnef.co/go/tools/cmd/staticcheck@v0.8.2
GOVULNCHECK := golang.org/x/vuln/cmd/govulncheck@v1.9.0

.PHONY: help build test short long race test-slurm test-kubernetes test-browser lint portable fuzz bench golden pareto models vuln third-party man clean

help: ## list the targets
	@grep -E "^[a-z-]+:.*## " $(MAKEFILE_LIST) | sed "s/:.*## /\t/" | expand -t 14

build: ## build bin/acdc, one static binary
	CGO_ENABLED=0 $(GO) build -trimpath -o $(BIN) ./cmd/acdc

test: ## all tests
	$(GO) test ./...

short: ## the tests that continuous integration runs
	$(GO) test -short ./...

long: ## every case of every property, every way to compute every golden run, 100 kills
	$(GO) test -tags long -timeout 60m ./pkg/...
	$(GO) test -count 1 -timeout 60m ./internal/cli -run TestKilledRunsContinue -kills 100

# The kernels start no goroutine, nor do packages that leave that to the engine or
# to nobody; and what starts the program as a process of its own, or one text after
# the other, says little of races: of the latter the tests of several goroutines
# are taken. The rest takes many minutes.
ALONE := acdc/(cmd|docs)/|internal/kernel|internal/(choice|cli|fileerror|golden|jsonfile|layers|man|misuse|oneline|plotstyle|study|sweep/figure|thirdparty)$$
ALONE := $(ALONE)|pkg/(circuit|rasp|roc|judge|faithful|compare|stability|train/interchange|weights|reference|draw)|pkg/task$$
ALONE := $(ALONE)|pkg/discover/(ensemble|exact|hisp|probing|pruning|ugs)$$
RACED := Estimator|Progress|Trace|Interrupt|Reader|Outputs|Streams|Hostile|OnlyTheParent|Cancelled|TakeTurns|PipeEnds|EndsWithItsContext
race: ## the short tests under the race detector (needs a C compiler)
	CGO_ENABLED=1 $(GO) test -race -short -timeout 40m $$($(GO) list ./... | grep -Ev '$(ALONE)')
	CGO_ENABLED=1 $(GO) test -race -short -timeout 40m -run '$(RACED)' ./internal/cli ./internal/jsonfile ./internal/study ./pkg/task ./pkg/draw/render

test-slurm: build ## a sweep as an array of a real Slurm on this machine (needs root, and Debian's slurm-wlm or apt-get)
	PATH="$(CURDIR)/bin:$$PATH" testdata/slurm/array.sh

test-kubernetes: build ## the Kubernetes manifest of a sweep, by the schema of Kubernetes and by its own decoder
	cd internal/sweep/kubernetes && PATH="$(CURDIR)/bin:$$PATH" $(GO) test -count 1 ./...

test-browser: ## pages in a real browser, Debian's chromium, which root installs where it is missing
	@if ! command -v chromium >/dev/null 2>&1 && [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1; then \
	  (apt-get update -q && apt-get install -y -q --no-install-recommends chromium fonts-dejavu-core) >/dev/null; fi
	cd internal/browser && $(GO) vet ./... && $(GO) test -v -count 1 ./...

lint: ## gofmt, vet, staticcheck
	@out=$$(gofmt -l .); if [ -n "$$out" ]; then echo "gofmt would change:"; echo "$$out"; exit 1; fi
	$(GO) vet ./...
	$(GO) run $(STATICCHECK) ./...

# The packages whose results come from the kernels at first hand.
KERNELS := ./pkg/tensor/... ./pkg/transformer/... ./pkg/metric ./pkg/ablate ./pkg/patch/... ./pkg/discover/acdc ./pkg/discover/attribution ./pkg/discover/learn ./pkg/train
portable: ## the tests without assembly, and a build for arm64
	$(GO) vet -tags noasm ./...
	$(GO) test -short -tags noasm $(KERNELS)
	GOOS=linux GOARCH=arm64 CGO_ENABLED=0 $(GO) build -o /dev/null ./cmd/acdc
	GOOS=darwin GOARCH=arm64 CGO_ENABLED=0 $(GO) build -o /dev/null ./cmd/acdc

# Inputs are counted: a limit of time races with its own end, and go test then
# fails with "context deadline exceeded" though no input did (golang/go 75804).
fuzz: ## every fuzz target for FUZZTIME inputs
	@set -e; for pkg in $$($(GO) list ./...); do \
	  for target in $$($(GO) test -list '^Fuzz' $$pkg | grep '^Fuzz' || true); do \
	    echo "$$pkg $$target"; \
	    $(GO) test -run '^$$' -fuzz "^$$target$$" -fuzztime $(FUZZTIME) -fuzzminimizetime 500x $$pkg; \
	  done; done

bench: ## benchmarks of every package
	$(GO) test -run '^$$' -bench . -benchmem ./...

golden: ## rewrite the golden pictures and the outputs in README and docs after a change that is meant
	$(GO) test ./pkg/draw -update
	$(GO) test ./internal/layers -update
	$(GO) test ./internal/cli -run Readme -update

pareto: build ## the frontier of docs/sweeps.md and its rows, some minutes of methods that learn
	$(BIN) sweep --task induction --metric nll --algorithm acdc,eap,eap-ig,hisp,sp,edge-pruning --thresholds log:0.001:10:20 -o docs/pareto.svg -o docs/pareto.jsonl > /dev/null

# A model is put in place when it is whole, so that the program always has one.
MODELS := induction mini interp-sort interp-proportion interp-detect-pattern
models: ## train the builtin models again from their recipes (on two cores induction 4 minutes, mini 17, each of interp-… 1 to 3)
	@mkdir -p dist/models
	CGO_ENABLED=0 $(GO) build -trimpath -o dist/models/acdc ./cmd/acdc
	@set -e; for m in $(MODELS); do \
	  dist/models/acdc train $$m -o dist/models/$$m --checkpoint dist/models/$$m.ckpt; \
	  cp dist/models/$$m/* pkg/zoo/builtin/$$m/; \
	  rm dist/models/$$m.ckpt; \
	done

# VULNDB is another database than govulncheck's own: file:///folder or a URL.
vuln: ## known vulnerabilities that the program can reach
	@if out=$$($(GO) run $(GOVULNCHECK) $(if $(VULNDB),-db $(VULNDB)) ./... 2>&1); then echo "$$out"; \
	elif echo "$$out" | grep -q "^govulncheck: fetching vulnerabilities"; then \
	  echo "vuln: not checked: the database of vulnerabilities cannot be reached from here"; \
	elif echo "$$out" | grep -q "^go: golang.org/x/vuln"; then \
	  echo "vuln: not checked: govulncheck cannot be downloaded from here"; \
	else echo "$$out"; exit 1; fi

third-party: ## list the parts of the binary and their licences in docs/THIRD_PARTY
	$(GO) run ./internal/thirdparty docs/THIRD_PARTY

man: ## write the manual pages to dist/man
	SOURCE_DATE_EPOCH=$$(git log -1 --format=%ct 2>/dev/null) $(GO) run ./internal/man dist/man

clean: ## remove what the build made
	rm -rf bin dist
