// RUN: not lamina-opt %s -p te-splt 2>&1 | filecheck %s --check-prefix PASS
// PASS: {{^}}lamina-opt: no pass 'te-splt'; did you mean te-split

// RUN: not lamina-opt %s -p 'te-split{axs=i}' 2>&1 | filecheck %s --check-prefix OPTION
// OPTION: {{^}}lamina-opt: te-split has no option 'axs'; did you mean axis?

// RUN: not lamina-opt %s -p 'te-split{axis=i' 2>&1 | filecheck %s --check-prefix BRACE
// BRACE: {{^}}lamina-opt: pipeline, column {{[0-9]+}}: malformed pass arguments

// RUN: not lamina-opt %s -p 'te-split{by=six}' 2>&1 | filecheck %s --check-prefix TYPE
// TYPE: {{^}}lamina-opt: te-split

// RUN: not lamina-opt %s -p 'cse cse' 2>&1 | filecheck %s --check-prefix COMMA
// COMMA: {{^}}lamina-opt: pipeline, column 4: expected a comma or pass arguments here

// RUN: not lamina-opt %s -t lamina-lvm 2>&1 | filecheck %s --check-prefix TARGET
// TARGET: {{^}}lamina-opt: no target 'lamina-lvm'; did you mean lamina-llvm

// RUN: not lamina-opt %s --frobnicate 2>&1 | filecheck %s --check-prefix FLAG
// FLAG: {{^}}lamina-opt: unrecognized arguments: --frobnicate; see 'lamina-opt --help'

// RUN: not lamina-opt %s -o %t/none/out.mlir 2>&1 | filecheck %s --check-prefix OUTPUT
// OUTPUT: {{^}}lamina-opt: cannot write '{{.*}}out.mlir': No such file or directory

// RUN: not lamina-opt %s.none 2>&1 | filecheck %s --check-prefix MISSING
// MISSING: {{^}}lamina-opt: cannot read '{{.*}}.none': No such file or directory

// RUN: not lamina-opt %s --weights %s.none 2>&1 | filecheck %s --check-prefix WEIGHTS
// WEIGHTS: {{^}}lamina-opt: cannot read weights from {{.*}}.none: No such file or directory

// RUN: not lamina-opt %s --print-ir-after inline -p cse 2>&1 | filecheck %s --check-prefix AFTER
// AFTER: {{^}}lamina-opt: --print-ir-after: 'inline' is not in the pipeline; there is cse

// RUN: not lamina-opt %s --load %S/inputs/empty.py 2>&1 | filecheck %s --check-prefix EMPTY
// EMPTY: {{^}}lamina-opt: {{.*}}empty.py defines no pass, dialect or target: it needs a subclass

// RUN: not lamina-opt %s --load %S/errors.mlir 2>&1 | filecheck %s --check-prefix SYNTAX
// SYNTAX: {{^}}lamina-opt: {{.*}}errors.mlir:1:1: invalid syntax

// RUN: not lamina-opt %s --load %S/inputs/rename.py -p refuse 2>&1 | filecheck %s --check-prefix REFUSE
// REFUSE: {{^}}lamina-opt: refuse: no function is good enough

// RUN: not lamina-opt %s --load %S/inputs/rename.py -p crash 2>&1 | filecheck %s --check-prefix CRASH
// CRASH: {{^}}lamina-opt: crash crashed: KeyError: 'lost' ({{.*}}rename.py:{{[0-9]+}}; --traceback shows the way there)

// RUN: not lamina-opt %s --load %S/inputs/rename.py -p break 2>&1 | filecheck %s --check-prefix BREAK
// BREAK: {{^}}lamina-opt: break left invalid IR: Operation func.func contains empty block

func.func @good() {
  func.return
}
