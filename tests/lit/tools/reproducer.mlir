// RUN: not lamina-opt %s --load %S/inputs/rename.py -p 'rename{to=one},refuse' --reproducer %t.mlir 2>&1 | filecheck %s --check-prefix FIRST
// RUN: not lamina-opt %t.mlir --load %S/inputs/rename.py -p refuse 2>&1 | filecheck %s --check-prefix AGAIN
// RUN: lamina-opt %t.mlir | filecheck %s

// FIRST: {{^}}lamina-opt: refuse: no function is good enough
// AGAIN: {{^}}lamina-opt: refuse: no function is good enough

// What the failing pass was given, not what it left:
// CHECK: func.func @one()
func.func @given() {
  func.return
}
