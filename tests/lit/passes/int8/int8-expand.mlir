// RUN: lamina-opt %s -p int8-expand --split-input-file --verify-diagnostics | filecheck %s

// CHECK-LABEL: func.func @quantize_divides_cuts_off_rounds_and_shifts(
// CHECK-NEXT:    %[[SCALE:.*]] = arith.constant 1.000000e-01 : f32
// CHECK-NEXT:    %[[STEPS:.*]] = arith.divf %x, %[[SCALE]] : f32
// CHECK-NEXT:    %[[LOW:.*]] = arith.constant -1.280000e+02 : f32
// CHECK-NEXT:    %[[A:.*]] = arith.maxnumf %[[STEPS]], %[[LOW]] : f32
// CHECK-NEXT:    %[[HIGH:.*]] = arith.constant 1.270000e+02 : f32
// CHECK-NEXT:    %[[B:.*]] = arith.minnumf %[[A]], %[[HIGH]] : f32
// CHECK-NEXT:    %[[R:.*]] = math.roundeven %[[B]] : f32
// CHECK-NEXT:    %[[I:.*]] = vec.convert %[[R]] : f32 to i32
// CHECK-NEXT:    %[[ZERO:.*]] = arith.constant 128 : i32
// CHECK-NEXT:    %[[S:.*]] = arith.addi %[[I]], %[[ZERO]] : i32
// CHECK-NEXT:    %[[Q:.*]] = vec.convert %[[S]] : i32 to i8
// CHECK-NEXT:    func.return %[[Q]] : i8
func.func @quantize_divides_cuts_off_rounds_and_shifts(%x: f32) -> i8 {
  %q = int8.quantize %x to <u8, 1.0e-1, 128> : f32
  func.return %q : i8
}

// CHECK-LABEL: func.func @dequantize_extends_by_storage(
// CHECK-NEXT:    %[[U:.*]] = vec.convert unsigned %q : i8 to i32
// CHECK-NEXT:    %[[ZERO:.*]] = arith.constant 3 : i32
// CHECK-NEXT:    %[[D:.*]] = arith.subi %[[U]], %[[ZERO]] : i32
// CHECK-NEXT:    %[[F:.*]] = vec.convert %[[D]] : i32 to f32
// CHECK-NEXT:    %[[SCALE:.*]] = arith.constant 5.000000e-01 : f32
// CHECK-NEXT:    %{{.*}} = arith.mulf %[[F]], %[[SCALE]] : f32
// CHECK-NEXT:    %{{.*}} = vec.convert %q : i8 to i32
func.func @dequantize_extends_by_storage(%q: i8) -> (f32, f32) {
  %x = int8.dequantize %q from <u8, 0.5, 3> : i8
  %y = int8.dequantize %q from <s8, 0.5, 3> : i8
  func.return %x, %y : f32, f32
}

// CHECK-LABEL: func.func @requantize_on_vectors_adds_no_zero(
// CHECK-NEXT:    %[[F:.*]] = vec.convert %a : vector<16xi32> to vector<16xf32>
// CHECK-NEXT:    %[[M:.*]] = arith.mulf %[[F]], %s : vector<16xf32>
// CHECK-NEXT:    %[[LOW:.*]] = arith.constant dense<0.000000e+00> : vector<16xf32>
// CHECK-NEXT:    %[[A:.*]] = arith.maxnumf %[[M]], %[[LOW]] : vector<16xf32>
// CHECK-NEXT:    %[[HIGH:.*]] = arith.constant dense<2.550000e+02> : vector<16xf32>
// CHECK-NEXT:    %[[B:.*]] = arith.minnumf %[[A]], %[[HIGH]] : vector<16xf32>
// CHECK-NEXT:    %[[R:.*]] = math.roundeven %[[B]] : vector<16xf32>
// CHECK-NEXT:    %[[I:.*]] = vec.convert %[[R]] : vector<16xf32> to vector<16xi32>
// CHECK-NEXT:    %[[Q:.*]] = vec.convert %[[I]] : vector<16xi32> to vector<16xi8>
func.func @requantize_on_vectors_adds_no_zero(%a: vector<16xi32>, %s: vector<16xf32>) -> vector<16xi8> {
  %q = int8.requantize %a by %s to <u8, 0.5, 0> : vector<16xi32>, vector<16xf32>
  func.return %q : vector<16xi8>
}

// CHECK-LABEL: func.func @fixed_point_takes_the_upper_half_of_a_product(
// CHECK-NEXT:    %{{.*}}, %[[H:.*]] = arith.mulsi_extended %a, %m : vector<16xi32>
// CHECK-NEXT:    %[[S:.*]] = arith.shrsi %[[H]], %t : vector<16xi32>
// CHECK-NEXT:    %[[MORE:.*]] = arith.constant dense<257> : vector<16xi32>
// CHECK-NEXT:    %[[UP:.*]] = arith.addi %[[S]], %[[MORE]] : vector<16xi32>
// CHECK-NEXT:    %[[ONE:.*]] = arith.constant dense<1> : vector<16xi32>
// CHECK-NEXT:    %[[R:.*]] = arith.shrsi %[[UP]], %[[ONE]] : vector<16xi32>
// CHECK-NEXT:    %[[LOW:.*]] = arith.constant dense<0> : vector<16xi32>
// CHECK-NEXT:    %[[A:.*]] = arith.maxsi %[[R]], %[[LOW]] : vector<16xi32>
// CHECK-NEXT:    %[[HIGH:.*]] = arith.constant dense<255> : vector<16xi32>
// CHECK-NEXT:    %[[B:.*]] = arith.minsi %[[A]], %[[HIGH]] : vector<16xi32>
// CHECK-NEXT:    %[[Q:.*]] = vec.convert %[[B]] : vector<16xi32> to vector<16xi8>
func.func @fixed_point_takes_the_upper_half_of_a_product(%a: vector<16xi32>, %m: vector<16xi32>, %t: vector<16xi32>) -> vector<16xi8> {
  %q = int8.requantize_fixed %a by %m shift %t to <u8, 1.0, 128> : vector<16xi32>
  func.return %q : vector<16xi8>
}

// CHECK-LABEL: func.func @powers_of_two_are_shifts(
// CHECK-NOT:     mulsi_extended
// CHECK:         %[[TWO:.*]] = arith.constant 2 : i32
// CHECK-NEXT:    %[[H:.*]] = arith.shrsi %a, %[[TWO]] : i32
// CHECK-NEXT:    arith.shrsi %[[H]], %t : i32
func.func @powers_of_two_are_shifts(%a: i32, %t: i32) -> i8 {
  %m = arith.constant 1073741824 : i32
  %q = int8.requantize_fixed %a by %m shift %t to <s8, 1.0, 0> : i32
  func.return %q : i8
}

// CHECK-LABEL: func.func @dot4_stays(
// CHECK-NEXT:    int8.dot4
func.func @dot4_stays(%a: vector<16xi32>, %g: vector<16x4xi8>) {
  %r = int8.dot4 %a, %g, %g : vector<16xi32>, vector<16x4xi8>, vector<16x4xi8>
  func.return
}

// -----

// CHECK: int8-expand: int8.quantize on tensor<4xf32> can be expanded on scalars and vectors only; run it after tensors are lowered
func.func @tensors(%x: tensor<4xf32>) {
  %q = int8.quantize %x to <u8, 0.5, 0> : tensor<4xf32>
  func.return
}
