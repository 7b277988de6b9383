// RUN: lamina-opt %s -p te-schedule,te-to-loops,te-to-vec,cse --validate 2>&1 | filecheck %s
// RUN: not lamina-opt %s --load %S/inputs/faults.py -p te-schedule,fault-drop-tail,te-to-vec --validate=5 --reproducer %t.mlir 2>&1 | filecheck %s --check-prefix FAULT
// RUN: not lamina-opt %t.mlir --load %S/inputs/faults.py -p fault-drop-tail --validate=5 --reproducer %t.again.mlir 2>&1 | filecheck %s --check-prefix AGAIN

// CHECK:      validate: seed 0, 10 s for each pass
// CHECK-NEXT:   te-schedule: tolerance 1e-5; interpreted @scale on 4 kinds of samples; largest difference 0
// CHECK-NEXT:   te-to-loops: exact; interpreted @scale on 4 kinds of samples; largest difference 0
// CHECK-NEXT:   te-to-vec: tolerance 1e-5; interpreted @scale on 4 kinds of samples; largest difference 0
// CHECK-NEXT:   cse: exact; interpreted @scale on 4 kinds of samples; largest difference 0
// CHECK-LABEL: func.func @scale

// FAULT:      validate: seed 5, 10 s for each pass
// FAULT-NEXT:   te-schedule: tolerance 1e-5; interpreted @scale on 4 kinds of samples; largest difference 0
// FAULT-NEXT: lamina-opt: validate: fault-drop-tail is declared exact, but changed what @scale computes: on sample 'normal', array 1, {{[-0-9.e]+}} became nan at [8], inf of the largest magnitude; reproducer: {{.*}}.mlir

// AGAIN:      validate: seed 5
// AGAIN-NEXT: lamina-opt: validate: fault-drop-tail is declared exact

func.func @scale(%x: memref<11xf32>, %y: memref<11xf32>) {
  te.compute axes(i: 11) ins(%x[i]) out(%y[i]) init 0.0 : f32
    schedule [split i 4 io ii, vector ii]
    : memref<11xf32>, memref<11xf32> (%a: f32, %acc: f32) {
      %s = arith.addf %a, %a : f32
      te.yield %s : f32
    }
  func.return
}
